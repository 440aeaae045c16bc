/** Numbers as readers see them. */

/** A score, to the digits that its interval supports: 0.0097 with a margin of 0.005, 0.2010 with one of 0.02. */
export function score(value: number, low?: number, high?: number): string {
  const margin = low === undefined || high === undefined ? 0 : (high - low) / 2;
  const digits = margin > 0 ? 1 - Math.floor(Math.log10(margin)) : 4;
  return value.toFixed(Math.min(6, Math.max(3, digits)));
}

export function interval(low: number, high: number): string {
  return `${score(low, low, high)} – ${score(high, low, high)}`;
}

/** An estimate with its interval, to the same digits: 0.210 (0.170 – 0.250). */
export function estimate(value: number, low: number, high: number): string {
  return `${score(value, low, high)} (${interval(low, high)})`;
}

export function share(value: number): string {
  if (value > 0.999) return "> 99.9%";
  if (value < 0.001) return "< 0.1%";
  return `${(value * 100).toFixed(1)}%`;
}

/** A share of few draws, in whole percent. */
export function percent(value: number): string {
  return `${Math.round(value * 100)}%`;
}

export function bytes(size: number): string {
  if (size < 1024) return `${size} B`;
  const units = ["KiB", "MiB", "GiB", "TiB"];
  let value = size / 1024;
  let unit = 0;
  while (value >= 1024 && unit < units.length - 1) {
    value /= 1024;
    unit += 1;
  }
  return `${value < 10 ? value.toFixed(1).replace(/\.0$/, "") : Math.round(value)} ${units[unit]}`;
}

export function plain(value: number | null | undefined): string {
  if (value === null || value === undefined) return "–";
  return Math.abs(value) >= 100 ? value.toFixed(0) : value.toPrecision(3);
}

export function count(number: number, noun: string): string {
  return `${number.toLocaleString("en")} ${noun}${number === 1 ? "" : "s"}`;
}
