import { readFileSync } from "node:fs";
import { expect, it } from "vitest";

const TOKENS = readFileSync("src/design/tokens.css", "utf8");
const THEMES = ["light", "dark"] as const;

/** What draws an interval or an estimate, and what lies behind it. */
const DRAWN = ["reach", "line-strong", "river", "ink-soft", "warn"];
const BEHIND = ["paper", "surface", "river-wash"];

/** The share of light that a colour of the tokens reflects, as WCAG 2.2 defines it. */
function luminance(token: string, theme: (typeof THEMES)[number]): number {
  const pair = TOKENS.match(new RegExp(`--${token}: light-dark\\((#[0-9a-f]{6}), (#[0-9a-f]{6})\\)`));
  const colour = pair?.[1 + THEMES.indexOf(theme)] ?? "";
  const [red = Number.NaN, green = Number.NaN, blue = Number.NaN] = [1, 3, 5].map((at) => {
    const share = Number.parseInt(colour.slice(at, at + 2), 16) / 255;
    return share <= 0.04045 ? share / 12.92 : ((share + 0.055) / 1.055) ** 2.4;
  });
  return 0.2126 * red + 0.7152 * green + 0.0722 * blue;
}

it.each(
  DRAWN.flatMap((drawn) =>
    BEHIND.flatMap((behind) => THEMES.map((theme) => [drawn, behind, theme] as const)),
  ),
)("%s stands out from %s in %s", (drawn, behind, theme) => {
  const [darker = 0, lighter = 0] = [luminance(drawn, theme), luminance(behind, theme)].sort((a, b) => a - b);

  expect((lighter + 0.05) / (darker + 0.05)).toBeGreaterThanOrEqual(3);
});
