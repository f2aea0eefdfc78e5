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

/** Without what binary fractions add: 0.3, not 0.30000000000000004. */
export const rounded = (value: number): number => Number(value.toFixed(9));

/** A number in a formula, as it is: −0.5. */
export const verbatim = (value: number): string => String(value).replace("-", "−");

/** A number that is added in a formula: + 0.3, or − 0.3. */
export const added = (value: number): string => `${value < 0 ? "−" : "+"} ${Math.abs(value)}`;

/** A coefficient in a formula, left out where it is 1. */
export const coefficient = (value: number): string => (value === 1 ? "" : verbatim(value));

/** A number of an axis. */
export const tick = (value: number): string => (value === 0 ? "0" : shown(value, 4));

/** A value of a chart; none where it is beyond what axes can hold. */
export const drawable = (value: number): number | null => (Math.abs(value) < 1e300 ? value : null);

/** Ends of an axis that shows 0 and all values, with some room. */
export function aroundZero(low: number | null, high: number | null): [number, number] {
  const [from, to] = [Math.min(low ?? 0, 0), Math.max(high ?? 1, 0)];
  const room = 0.06 * (to - from || 1);
  return [from < 0 ? from - room : 0, to + room];
}
