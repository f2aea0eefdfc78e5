/**
 * Sliding windows: views of a tensor in which neighbours share elements, and the transpose, which adds windows up where they
 * overlap. In two dimensions: the columns that a convolution multiplies.
 */

import { ShapeError, ValueError } from "../errors";
import type { Node } from "../graph/node";
import { normalizeDim, resized, showShape } from "../graph/shape";
import { sumDims, zeros } from "./broadcast";
import { along, apply } from "./op";
import { type Pair, pairOf, type Sizes, windowsAlong } from "./planes";
import { padZeros, slice } from "./slice";
import { defineView, movedim, permute, reshape, unsqueeze } from "./views";

/** Windows along `dim`: `size` elements `dilation` apart, the next window `step` further on. */
type WindowAttrs = { readonly dim: number; readonly size: number; readonly step: number; readonly dilation: number };

const countOf = (length: number, { size, step, dilation }: WindowAttrs): number =>
  windowsAlong(length, size, step, 0, dilation);

/** `[..., n, ...] -> [..., windows, ..., size]`: the elements of a window are the last dimension. */
const unfoldOp = defineView<WindowAttrs>({
  name: "unfold",
  infer: ([input], attrs) => {
    const { shape, dtype } = input!;
    return { shape: [...resized(shape, attrs.dim, countOf(shape[attrs.dim]!, attrs)), attrs.size], dtype };
  },
  vjp: (gradOut, { inputs: [input], attrs }) => [overlapAdd(gradOut, attrs, input!.shape[attrs.dim]!)],
  axes: ({ dim, step, dilation }, input) =>
    input.map((_, d) =>
      d === dim
        ? { start: 0, terms: [{ from: d, step }, { from: input.length, step: dilation }] } // prettier-ignore
        : along(d),
    ),
});

/**
 * The transpose of unfold: what windows have in common adds up, along `dim` of `length` elements.
 *
 * Element `q * step + r` is the sum over t of window `q - t` at `t * step + r`. Windows are cut into pieces of `step`, so that
 * (window, t) is a matrix whose antidiagonals are summed: read with one column less than it has, they become columns.
 */
function overlapAdd(x: Node, { dim, size, step, dilation }: WindowAttrs, length: number): Node {
  const windows = x.shape[dim]!;
  if (size === 0) return zeros(resized(x.shape.slice(0, -1), dim, length), x.dtype);
  const spread = padLast(x, (size - 1) * dilation + 1, dilation - 1);
  const pieces = Math.ceil(spread.shape.at(-1)! / step);
  const rows = movedim(padLast(spread, pieces * step), dim, -2); // [..., windows, pieces * step]
  const outer = rows.shape.slice(0, -2);
  const byPiece = movedim(reshape(rows, [...outer, windows, pieces, step]), -2, -3); // [..., pieces, windows, step]
  const columns = windows + pieces - 1;
  const total = pieces === 1 ? reshape(byPiece, [...outer, columns * step]) : sumOfAntidiagonals(byPiece, columns);
  return movedim(fitLast(total, length), -1, dim);
}

/** `[..., pieces, windows, step] -> [..., columns * step]` */
function sumOfAntidiagonals(x: Node, columns: number): Node {
  const [pieces, windows, step] = x.shape.slice(-3) as [number, number, number];
  const outer = x.shape.slice(0, -3);
  const wide = padZeros(x, x.shape.map(() => 0), [...outer.map(() => 0), 0, columns + 1 - windows, 0]); // prettier-ignore
  const flat = reshape(wide, [...outer, pieces * (columns + 1) * step]);
  const sheared = reshape(fitLast(flat, pieces * columns * step), [...outer, pieces, columns * step]);
  return sumDims(sheared, [outer.length]);
}

/** The last dimension made `length` long, with zeros between its elements and at its end. */
function padLast(x: Node, length: number, between = 0): Node {
  const size = x.shape.at(-1)!;
  const last = (count: number): number[] => x.shape.map((_, d) => (d === x.shape.length - 1 ? count : 0));
  return padZeros(x, last(0), last(length - size - (size - 1) * between), last(between));
}

/** The last dimension cut or padded to `length`. */
const fitLast = (x: Node, length: number): Node =>
  x.shape.at(-1)! < length ? padLast(x, length) : slice(x, [], x.shape.with(-1, length));

/** Windows of `size` elements along `dim`, `step` apart; their elements are a new last dimension. */
export function unfold(x: Node, dim: number, size: number, step: number): Node {
  if (!(Number.isInteger(step) && step > 0)) {
    throw new ValueError(`unfold: step must be a positive integer, got ${step}. Pass the distance of two windows.`);
  }
  const from = x.shape.length === 0 ? unsqueeze(x, 0) : x;
  const at = normalizeDim("unfold", dim, from.shape.length);
  if (!(Number.isInteger(size) && size >= 0 && size <= from.shape[at]!)) {
    throw new ShapeError(
      `unfold: size must be an integer in 0..${from.shape[at]!}, got ${size} for dim ${dim} of ${showShape(x.shape)}. Use smaller windows.`,
    );
  }
  const windows = apply(unfoldOp, [from], { dim: at, size, step, dilation: 1 });
  return from === x ? windows : reshape(windows, [size]);
}

// --- windows of images -----------------------------------------------------------------------------------------------

/** Options of the windows of images; one number for both directions. */
export interface WindowOptions {
  readonly dilation?: Sizes;
  readonly padding?: Sizes;
  readonly stride?: Sizes;
}

/** Windows along height and width, and zeros around the image. */
interface Windows2d {
  readonly rows: WindowAttrs;
  readonly columns: WindowAttrs;
  readonly padding: Pair;
}

function windowsOf(op: string, kernelSize: Sizes, options: WindowOptions): Windows2d {
  const pair = (name: string, value: Sizes, least: number): Pair => pairOf(op, name, value, 2, least, least);
  const size = pair("kernelSize", kernelSize, 1);
  const step = pair("stride", options.stride ?? 1, 1);
  const dilation = pair("dilation", options.dilation ?? 1, 1);
  const along = (i: 0 | 1): WindowAttrs => ({ dim: 2 + i, size: size[i], step: step[i], dilation: dilation[i] });
  return { rows: along(0), columns: along(1), padding: pair("padding", options.padding ?? 0, 0) };
}

/** Counts of windows in both directions; there must be one. */
function countsOf(op: string, height: number, width: number, { rows, columns, padding }: Windows2d): Pair {
  const counts = [countOf(height + 2 * padding[0], rows), countOf(width + 2 * padding[1], columns)] as const;
  if (Math.min(...counts) > 0) return counts;
  throw new ShapeError(
    `${op}: the kernel must fit into the padded image, got kernel ${showShape([rows.size, columns.size])} for ` +
      `${showShape([height, width])} with padding ${showShape(padding)}. Add padding or use a smaller kernel.`,
  );
}

/** With a batch of one where there is none; `make` gives a batch. */
function batched(op: string, x: Node, rank: number, layout: string, make: (x: Node) => Node): Node {
  if (x.shape.length === rank) return make(x);
  if (x.shape.length === rank - 1) {
    const result = make(unsqueeze(x, 0));
    return reshape(result, result.shape.slice(1));
  }
  throw new ShapeError(
    `${op}: input must be ${layout}, with or without the first, got ${showShape(x.shape)}. Reshape it.`,
  );
}

/** The windows of images as columns: `[n, c, h, w] -> [n, c * kh * kw, windows]`. */
export function unfoldImages(images: Node, kernelSize: Sizes, options: WindowOptions = {}): Node {
  const windows = windowsOf("unfold", kernelSize, options);
  const { rows, columns, padding } = windows;
  return batched("unfold", images, 4, "[n, channels, height, width]", (x) => {
    const [n, channels, height, width] = x.shape as [number, number, number, number];
    const [outHeight, outWidth] = countsOf("unfold", height, width, windows);
    const around = [0, 0, ...padding];
    const byRow = apply(unfoldOp, [padZeros(x, around, around)], rows);
    const both = apply(unfoldOp, [byRow], columns); // [n, c, oh, ow, kh, kw]
    const area = rows.size * columns.size;
    return reshape(permute(both, [0, 1, 4, 5, 2, 3]), [n, channels * area, outHeight * outWidth]);
  });
}

/** The transpose of `unfoldImages`: columns added up into images of `outputSize`. */
export function foldImages(
  columnsOfImages: Node,
  outputSize: Sizes,
  kernelSize: Sizes,
  options: WindowOptions = {},
): Node {
  const windows = windowsOf("fold", kernelSize, options);
  const { rows, columns, padding } = windows;
  const [height, width] = pairOf("fold", "outputSize", outputSize, 2, 1, 1);
  const [outHeight, outWidth] = countsOf("fold", height, width, windows);
  return batched("fold", columnsOfImages, 3, "[n, channels * kernel, windows]", (x) => {
    const [n, depth, count] = x.shape as [number, number, number];
    const channels = depth / (rows.size * columns.size);
    if (!Number.isInteger(channels) || count !== outHeight * outWidth) {
      throw new ShapeError(
        `fold: input must be [n, channels * ${rows.size * columns.size}, ${outHeight * outWidth}] for outputSize ${showShape([height, width])}, ` +
          `got ${showShape(x.shape)}. Pass the sizes that unfold was given.`,
      );
    }
    const split = reshape(x, [n, channels, rows.size, columns.size, outHeight, outWidth]);
    const byRow = overlapAdd(permute(split, [0, 1, 4, 5, 2, 3]), columns, width + 2 * padding[1]); // [n, c, oh, w, kh]
    const padded = overlapAdd(byRow, rows, height + 2 * padding[0]);
    const [top, left] = padding;
    return slice(padded, [0, 0, top, left], [n, channels, top + height, left + width]);
  });
}
