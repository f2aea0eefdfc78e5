/** Numbers in words, and the ends of axes. */

/** A number to a few digits: 0.0123, 1.2e-7. */
export function shown(value: number, digits = 3): string {
  if (value === 0 || !Number.isFinite(value)) return String(value);
  const size = Math.abs(value);
  const isFar = size >= 1e5 || size < 1e-3;
  const text = isFar
    ? value.toExponential(digits - 1).replace(/\.?0+e/, "e")
    : String(Number(value.toPrecision(digits)));
  return text.replace("-", "−").replace("e-", "e−").replace("e+", "e");
}

/** A number of an axis. */
export const tick = (value: number): string => (value === 0 ? "0" : shown(value, 4));

/** Ends of an axis that shows 0 and all values, with some room. */
export function aroundZero(low: number | null, high: number | null): [number, number] {
  const [from, to] = [Math.min(low ?? 0, 0), Math.max(high ?? 1, 0)];
  const room = 0.06 * (to - from || 1);
  return [from < 0 ? from - room : 0, to + room];
}
