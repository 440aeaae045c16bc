/** What `plugins/docs.ts` makes of docs/ when the app is built. */
declare module "virtual:docs/titles" {
  /** The title of each file of docs/, by its path there. */
  export const TITLES: Readonly<Record<string, string>>;
}

declare module "virtual:docs/index" {
  /** The index of all sections, as MiniSearch writes one. */
  const index: string;
  export default index;
}
