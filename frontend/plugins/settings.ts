/** What the build reads of the API's description: what each setting of a phase means, and what it may be. */
import { readFileSync } from "node:fs";
import { join } from "node:path";
import type { Plugin } from "vite";

const ID = "virtual:settings";
const SCHEMA = join(import.meta.dirname, "..", "src", "api", "openapi.json");

interface Property {
  description?: string;
  default?: unknown;
  minimum?: number;
  exclusiveMinimum?: number;
  maximum?: number;
  maxLength?: number;
  anyOf?: Property[];
}

/** One setting, as a form needs it. */
export interface Setting {
  meaning: string;
  least?: number;
  most?: number;
  longest?: number;
  usual?: string | number | boolean;
}

/** The settings that a request can make a phase of, by name. */
export function readSettings(schema: string = SCHEMA): Record<string, Setting> {
  const described = JSON.parse(readFileSync(schema, "utf8"));
  const properties: Record<string, Property> = described.components.schemas.NewPhase.properties;
  return Object.fromEntries(Object.entries(properties).map(([name, one]) => [name, settingOf(one)]));
}

function settingOf(property: Property): Setting {
  const of = { ...property.anyOf?.[0], ...property };
  const usual = of.default;
  return {
    meaning: (of.description ?? "").replaceAll("`", ""),
    least: of.minimum ?? of.exclusiveMinimum,
    most: of.maximum,
    longest: of.maxLength,
    ...(["string", "number", "boolean"].includes(typeof usual) && { usual: usual as string }),
  };
}

export function settings(): Plugin {
  return {
    name: "settings",
    resolveId: (id) => (id === ID ? `\0${ID}` : undefined),
    load: (id) =>
      id === `\0${ID}` ? `export const SETTINGS = ${JSON.stringify(readSettings())};` : undefined,
  };
}
