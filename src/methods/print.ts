/** Values as text, in PyTorch's manner: rows below one another, four decimals, the middle of what is long left out. */

import { type DType, isFloat } from "../graph/dtype";
import { type Shape, sizeOf } from "../graph/shape";

/** From so many elements on, only those at the edges are shown. */
const SUMMARIZE = 1000;
/** How many at each edge. */
const EDGE = 3;
const LINE_WIDTH = 80;

/** A number of a float dtype, as all of `numbers` are to be written. */
function floatFormat(numbers: readonly number[]): (value: number) => string {
  const sizes = numbers.filter((value) => Number.isFinite(value) && value !== 0).map(Math.abs);
  const [low, high] = [Math.min(...sizes), Math.max(...sizes)];
  const isWhole = sizes.every(Number.isInteger);
  const isWide = sizes.length > 0 && (high / low > 1e3 || high > 1e8 || low < 1e-4);
  return (value) => {
    if (!Number.isFinite(value)) return String(value).replace("Infinity", "inf").toLowerCase();
    const sign = Object.is(value, -0) ? "-" : "";
    if (isWide) return sign + value.toExponential(4).replace(/e(.)(\d)$/, "e$10$2");
    return sign + (isWhole ? `${value}.` : value.toFixed(4));
  };
}

function formatOf(dtype: DType, shown: readonly number[]): (value: number) => string {
  if (dtype === "bool") return (value) => String(value !== 0);
  return isFloat(dtype) ? floatFormat(shown) : String;
}

/** Places along a dimension: null for what is left out. */
const placesOf = (size: number, isSummary: boolean): (number | null)[] =>
  isSummary && size > 2 * EDGE
    ? [...Array.from({ length: EDGE }, (_, i) => i), null, ...Array.from({ length: EDGE }, (_, i) => size - EDGE + i)]
    : Array.from({ length: size }, (_, i) => i);

/** Row-major values of a shape in brackets; `indent` is how far to the right the first bracket stands. */
export function showValues(values: ArrayLike<number>, shape: Shape, dtype: DType, indent: number): string {
  const isSummary = sizeOf(shape) > SUMMARIZE;
  const places = shape.map((size) => placesOf(size, isSummary));
  const shown: number[] = [];
  const visit = (dim: number, offset: number, see: (value: number) => void): void => {
    if (dim === shape.length) see(values[offset]!);
    else for (const place of places[dim]!) if (place !== null) visit(dim + 1, offset * shape[dim]! + place, see);
  };
  visit(0, 0, (value) => shown.push(value));
  const format = formatOf(dtype, shown);
  const width = Math.max(0, ...shown.map((value) => format(value).length));

  const render = (dim: number, offset: number): string => {
    if (dim === shape.length) return format(values[offset]!).padStart(width);
    const left = indent + dim + 1;
    const isLast = dim === shape.length - 1;
    const parts = places[dim]!.map((place) =>
      place === null ? (isLast ? " ..." : "...") : render(dim + 1, offset * shape[dim]! + place),
    );
    if (!isLast) {
      return `[${parts.join(`,${"\n".repeat(shape.length - 1 - dim)}${" ".repeat(left)}`)}]`;
    }
    const perLine = Math.max(1, Math.floor((LINE_WIDTH - left) / (width + 2)));
    const lines = parts.flatMap((_, i) => (i % perLine === 0 ? [parts.slice(i, i + perLine).join(", ")] : []));
    return `[${lines.join(`,\n${" ".repeat(left)}`)}]`;
  };
  return render(0, 0);
}
