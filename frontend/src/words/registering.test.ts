import { expect, test } from "vitest";
import type { OwnRegistration } from "../api/types";
import { stepOf } from "./registering";

const OWN: OwnRegistration = {
  registration: "open",
  rules: "",
  rules_version: null,
  role: null,
  state: null,
  reason: null,
  accepted_version: null,
  admitted: true,
};

test("an open competition without rules asks nothing of anybody", () => {
  expect(stepOf(OWN, true)).toBe("nothing");
  expect(stepOf({ ...OWN, admitted: false }, false)).toBe("nothing");
});

test("whoever must register is asked to sign in first", () => {
  const own = { ...OWN, registration: "invitation", admitted: false } as const;
  expect(stepOf(own, false)).toBe("sign in");
  expect(stepOf(own, true)).toBe("form");
});

test("whoever asked waits, unless the rules have changed meanwhile", () => {
  const own = { ...OWN, registration: "approval", state: "waiting", admitted: false } as const;
  expect(stepOf(own, true)).toBe("waiting");
  expect(stepOf({ ...own, rules_version: "b", accepted_version: "a" }, true)).toBe("form");
  expect(stepOf({ ...own, registration: "invitation" }, true)).toBe("form");
});

test("whoever is refused or registered is told so", () => {
  expect(stepOf({ ...OWN, state: "refused", admitted: false }, true)).toBe("refused");
  expect(stepOf({ ...OWN, registration: "approval", state: "accepted" }, true)).toBe("done");
  const changed = { ...OWN, state: "accepted", rules_version: "b", admitted: false } as const;
  expect(stepOf(changed, true)).toBe("form");
});
