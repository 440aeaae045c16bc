/** What `plugins/settings.ts` reads of the API's description when the app is built. */
declare module "virtual:settings" {
  /** What each setting of a phase means and may be, by its name. */
  export const SETTINGS: Readonly<Record<string, import("../../plugins/settings").Setting>>;
}
