import { expect, it } from "vitest";
import type { Cross } from "./labels";
import { placesOf } from "./labels";

const EDGES = { left: 0, right: 600 };

function cross(x: number, y: number, reach = 0): Cross {
  return { x, y, left: x - reach, right: x + reach };
}

/** Where the names of these points stand, with these others beside them. */
function sides(named: readonly Cross[], others: readonly Cross[] = []): string[] {
  const names = named.map((at) => ({ ...at, text: "relabel" }));
  return placesOf(names, [...named, ...others], EDGES).map(
    ({ textAnchor, dy }) => `${dy < 0 ? "above" : "below"} ${textAnchor}`,
  );
}

it("a name alone stands above its point, to the left", () => {
  expect(sides([cross(300, 100, 50)])).toEqual(["above end"]);
});

it("a name gives way to a point, to a line, and to a name before it", () => {
  expect(sides([cross(300, 100)], [cross(270, 92)])).toEqual(["above start"]);
  expect(sides([cross(300, 100)], [cross(400, 92, 300)])).toEqual(["below end"]);
  expect(sides([cross(300, 100), cross(300, 100)])).toEqual(["above end", "above start"]);
});

it("a name is not cut by the edge, whatever it covers there", () => {
  expect(sides([cross(10, 100)], [cross(40, 92), cross(40, 108)])).toEqual(["above start"]);
});

it("a name would rather cover lines than a point", () => {
  const points = [cross(270, 92), cross(330, 92), cross(330, 108)];
  const line = cross(150, 108, 150);

  expect(sides([cross(300, 100)], [...points, line])).toEqual(["below end"]);
});
