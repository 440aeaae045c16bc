/** Where names stand beside points, so that they cover little. All in pixels, y downwards. */

export interface Point {
  x: number;
  y: number;
}

/** A point and the line through it, across. */
export interface Cross extends Point {
  left: number;
  right: number;
}

export interface Name extends Point {
  text: string;
}

/** On which side of its point a name stands, and how far from it. */
export interface Place {
  textAnchor: "start" | "end";
  dx: number;
  dy: number;
}

interface Box {
  left: number;
  right: number;
  top: number;
  bottom: number;
}

const CHARACTER = 6.5; // of a text of 12 px, on average
const HALF_LINE = 7;
const HALF_POINT = 6;

const PLACES: readonly Place[] = [
  { textAnchor: "end", dx: -8, dy: -9 },
  { textAnchor: "start", dx: 8, dy: -9 },
  { textAnchor: "end", dx: -8, dy: 10 },
  { textAnchor: "start", dx: 8, dy: 10 },
];

/** What it costs to cover one; above all, a name may not be cut. */
const COST = { line: 1, point: 5, name: 5, edge: 1000 };

/** Give each name the place that covers least between the edges of a picture. Earlier names choose first. */
export function placesOf(
  names: readonly Name[],
  crosses: readonly Cross[],
  edges: { left: number; right: number },
): Place[] {
  const lines = crosses.map(({ left, right, y }) => ({ left, right, top: y - 1, bottom: y + 1 }));
  const points = crosses.map(({ x, y }) => around(x, y, HALF_POINT));
  const placed: Box[] = [];
  return names.map((name) => {
    const costs = PLACES.map((place) => {
      const box = boxOf(name, place);
      const covered = (others: readonly Box[]) => others.filter((other) => overlap(box, other)).length;
      return (
        COST.line * covered(lines) +
        COST.point * covered(points) +
        COST.name * covered(placed) +
        COST.edge * Number(box.left < edges.left || box.right > edges.right)
      );
    });
    const place = PLACES[costs.indexOf(Math.min(...costs))] as Place;
    placed.push(boxOf(name, place));
    return place;
  });
}

function around(x: number, y: number, half: number): Box {
  return { left: x - half, right: x + half, top: y - half, bottom: y + half };
}

function boxOf({ x, y, text }: Name, { textAnchor, dx, dy }: Place): Box {
  const length = text.length * CHARACTER;
  const left = textAnchor === "start" ? x + dx : x + dx - length;
  return { left, right: left + length, top: y + dy - HALF_LINE, bottom: y + dy + HALF_LINE };
}

function overlap(one: Box, other: Box): boolean {
  return one.left < other.right && other.left < one.right && one.top < other.bottom && other.top < one.bottom;
}
