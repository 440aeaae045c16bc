import { expect, it } from "vitest";
import type { Comparison } from "../api/types";
import { namesOf } from "./compared";

type Compared = Comparison["first"];
const of = (name: string, team: string): Compared => ({ name, team, submission_id: "", final_score: 0.1 });

it.each([
  ["of one team", of("noise", "ada"), of("repair", "ada"), ["noise", "repair"]],
  ["of two teams", of("noise", "ada"), of("noise", "bob"), ["noise (ada)", "noise (bob)"]],
  ["of one name", of("noise", "ada"), of("noise", "ada"), ["noise (first)", "noise (second)"]],
])("tells two submissions %s apart", (_, first, second, names) => {
  const shown = namesOf({ first, second }).map((name) => name.replace(/[\u2068\u2069]/g, ""));
  expect(shown).toEqual(names);
});
