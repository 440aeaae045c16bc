import { expect, test } from "vitest";
import { byRuns, disagreeing, nameOf } from "./reliability";

const tau = (value: number) => ({ value, low: value - 0.1, high: value + 0.1 });

test("only orders from fewer runs, with a tau, are drawn", () => {
  const order = { metric: "lethe-2", models: 32, bins: null, tau: tau(0.5), leader_stays: null };
  expect(byRuns({ orders: [order, { ...order, tau: null }, { ...order, bins: 0.25 }] })).toEqual([
    { metric: "lethe-2", models: 32, value: 0.5, low: 0.4, high: 0.6 },
  ]);
});

test("numbers are told by their agreement with the leaderboard's metric, the least first", () => {
  const pairs = [
    { first: "lethe-1", second: "lethe-2", entries: 9, tau: tau(0.9) },
    { first: "lethe-2", second: "klom/mean", entries: 8, tau: tau(-0.2) },
    { first: "lethe-1", second: "klom/mean", entries: 8, tau: tau(0.1) },
  ];
  expect(disagreeing({ metric: "lethe-2", pairs }).map(({ number }) => number)).toEqual([
    "klom/mean",
    "lethe-1",
  ]);
});

test("a number's name holds its suite, if it has one", () => {
  expect(nameOf("klom/mean")).toEqual(["klom", "mean"]);
  expect(nameOf("lethe-2")).toEqual([null, "lethe-2"]);
});
