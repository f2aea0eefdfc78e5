/** Interpolation to another size. All modes are separable, so each is a map of a few taps along one dimension after the other. */

import { ShapeError, ValueError } from "../errors";
import type { Node } from "../graph/node";
import { showShape, sizeOf } from "../graph/shape";
import { checkChoice, checkIsList } from "../options";
import { meanAdaptive } from "./avgPool";
import { expand } from "./broadcast";
import { checkDType } from "./check";
import type { Sizes } from "./planes";
import { FLOAT } from "./pointwise";
import { inF32 } from "./precision";
import { slice } from "./slice";
import { mapAlong, type Tap, takingMap, type TapMap } from "./taps";
import { reshape, unsqueeze } from "./views";

/** How values between elements are found; PyTorch's names. */
export type InterpolationMode = "nearest" | "nearest-exact" | "linear" | "bilinear" | "trilinear" | "bicubic" | "area";

export interface InterpolateOptions {
  /** Sizes of the output, without batch and channels. */
  readonly size?: Sizes | null;
  /** What the sizes are multiplied by, where `size` is not given. */
  readonly scaleFactor?: Sizes | null;
  readonly mode?: InterpolationMode;
  /** Whether corner elements keep their places, rather than the outer edges of corner elements. */
  readonly alignCorners?: boolean | null;
  /** Whether positions follow from the rounded sizes, rather than from `scaleFactor`. */
  readonly recomputeScaleFactor?: boolean | null;
  /** Whether smaller outputs average all that lies between; for bilinear and bicubic. */
  readonly antialias?: boolean;
}

/** Numbers of spatial dimensions that a mode is for. */
const SPATIAL: Readonly<Record<InterpolationMode, readonly number[]>> = {
  nearest: [1, 2, 3],
  "nearest-exact": [1, 2, 3],
  area: [1, 2, 3],
  linear: [1],
  bilinear: [2],
  trilinear: [3],
  bicubic: [2],
};

const takesCorners = (mode: InterpolationMode): boolean => !["nearest", "nearest-exact", "area"].includes(mode);

// --- sizes -----------------------------------------------------------------------------------------------------------

/** One dimension: its size before and after, and the scale that the user gave. */
interface Axis {
  readonly size: number;
  readonly outSize: number;
  /** Null where it follows from the sizes. */
  readonly scaleFactor: number | null;
}

function checkMode(x: Node, mode: InterpolationMode, options: InterpolateOptions): void {
  checkDType("interpolate", [x], FLOAT);
  const modes = Object.keys(SPATIAL);
  checkChoice("interpolate", "mode", mode, modes);
  const spatial = x.shape.length - 2;
  if (!SPATIAL[mode].includes(spatial)) {
    const fitting = modes.filter((name) => SPATIAL[name as InterpolationMode].includes(spatial));
    throw new ShapeError(
      `interpolate: mode ${mode} must have an input [n, c, ...] with ${SPATIAL[mode].join(", ")} more dimensions, got ${showShape(x.shape)}. ` +
        (fitting.length > 0 ? `Use one of ${fitting.join(", ")}, or unsqueeze it.` : "Unsqueeze or reshape it."),
    );
  }
  if ((options.alignCorners ?? null) !== null && !takesCorners(mode)) {
    throw new ValueError(
      `interpolate: alignCorners must be left out for mode ${mode}, got ${String(options.alignCorners)}. It is for the linear modes and bicubic.`,
    );
  }
  if (options.antialias && mode !== "bilinear" && mode !== "bicubic") {
    throw new ValueError(
      `interpolate: antialias must have mode bilinear or bicubic, got ${mode}. Leave it out, or change the mode.`,
    );
  }
  if (sizeOf(x.shape.slice(1)) > 0) return;
  throw new ShapeError(
    `interpolate: the input must not be empty but for its batch, got ${showShape(x.shape)}. There is nothing between no elements.`,
  );
}

/** A number for each spatial dimension, checked. */
function perDimension(name: string, value: Sizes, spatial: number, fits: (count: number) => boolean): number[] {
  if (typeof value !== "number") checkIsList("interpolate", name, value);
  const list = typeof value === "number" ? new Array<number>(spatial).fill(value) : [...value];
  if (list.length === spatial && list.every(fits)) return list;
  const what = name === "size" ? "positive integers" : "positive numbers";
  throw new ValueError(
    `interpolate: ${name} must be one or ${spatial} ${what}, got ${showShape(list)}. There is one for each dimension after [n, c].`,
  );
}

/** Sizes as PyTorch finds them: those given, or those of the input times the scale, rounded down. */
function axesOf(x: Node, mode: InterpolationMode, options: InterpolateOptions): Axis[] {
  const { size = null, scaleFactor = null, recomputeScaleFactor = null } = options;
  if ((size === null) === (scaleFactor === null)) {
    throw new ValueError(
      `interpolate: either size or scaleFactor must be given, got ${size === null ? "none" : "both"}. Pass one of them.`,
    );
  }
  if (size !== null && recomputeScaleFactor) {
    throw new ValueError(
      "interpolate: recomputeScaleFactor must go with scaleFactor, got it with size. Leave it out: positions follow from the sizes anyway.",
    );
  }
  const inner = x.shape.slice(2);
  if (size !== null) {
    const sizes = perDimension("size", size, inner.length, (count) => Number.isInteger(count) && count > 0);
    return inner.map((count, d) => ({ size: count, outSize: sizes[d]!, scaleFactor: null }));
  }
  const factors = perDimension("scaleFactor", scaleFactor!, inner.length, (factor) => factor > 0 && factor < Infinity);
  const keepsFactor = !recomputeScaleFactor && mode !== "area";
  return inner.map((count, d) => {
    const outSize = Math.floor(count * factors[d]!);
    if (outSize > 0) return { size: count, outSize, scaleFactor: keepsFactor ? factors[d]! : null };
    throw new ValueError(
      `interpolate: the output must not be empty, got scaleFactor ${factors[d]} for ${showShape(x.shape)}. Use a larger one.`,
    );
  });
}

// --- taps ------------------------------------------------------------------------------------------------------------

/** Places of the input that one step of the output moves by. */
const stepOf = ({ size, outSize, scaleFactor }: Axis): number =>
  scaleFactor === null ? size / outSize : 1 / scaleFactor;

/** Which element is nearest: in the arithmetic of the dtype, since PyTorch rounds here, and the next one is another. */
function nearestPlaces(axis: Axis, isExact: boolean, isF64: boolean): number[] {
  const { size, outSize } = axis;
  const shift = isExact ? 0.5 : 0;
  const step = isF64 ? stepOf(axis) : Math.fround(stepOf(axis));
  const position = (index: number): number => Math.fround((index + shift) * step);
  return Array.from({ length: outSize }, (_, index) => Math.min(Math.floor(position(index)), size - 1));
}

/** Position in the input of an output element, counted from the first element's middle. */
function positionOf(axis: Axis, index: number, alignCorners: boolean): number {
  const { size, outSize } = axis;
  if (alignCorners) return outSize > 1 ? index * ((size - 1) / (outSize - 1)) : 0;
  return stepOf(axis) * (index + 0.5) - 0.5;
}

function linearTaps(axis: Axis, alignCorners: boolean): Tap[][] {
  const last = axis.size - 1;
  return Array.from({ length: axis.outSize }, (_, index) => {
    if (axis.outSize === axis.size) return [{ place: index, weight: 1 }, { place: index, weight: 0 }]; // prettier-ignore
    const position = Math.max(positionOf(axis, index, alignCorners), 0);
    const low = Math.min(Math.floor(position), last);
    const weight = Math.min(Math.max(position - low, 0), 1);
    return [{ place: low, weight: 1 - weight }, { place: Math.min(low + 1, last), weight }]; // prettier-ignore
  });
}

/** The cubic kernel of Keys 1981 at a distance: `a` is its slope at 1. */
function cubicKernel(distance: number, a: number): number {
  const x = Math.abs(distance);
  if (x < 1) return ((a + 2) * x - (a + 3)) * x * x + 1;
  return x < 2 ? ((a * x - 5 * a) * x + 8 * a) * x - 4 * a : 0;
}

function cubicTaps(axis: Axis, alignCorners: boolean): Tap[][] {
  const last = axis.size - 1;
  return Array.from({ length: axis.outSize }, (_, index) => {
    const position = positionOf(axis, index, alignCorners);
    const low = Math.floor(position);
    return [-1, 0, 1, 2].map((offset) => ({
      place: Math.min(Math.max(low + offset, 0), last),
      weight: cubicKernel(position - low - offset, -0.75),
    }));
  });
}

/** Taps of a filter as wide as an output element is, where that is wider than one of the input; weights sum to 1. */
function antialiasTaps(axis: Axis, alignCorners: boolean, mode: "bilinear" | "bicubic"): Tap[][] {
  const { size, outSize } = axis;
  const step = alignCorners ? (outSize > 1 ? (size - 1) / (outSize - 1) : 0) : stepOf(axis);
  const width = Math.max(step, 1);
  const reach = (mode === "bilinear" ? 1 : 2) * width;
  const filter = (x: number): number => (mode === "bilinear" ? Math.max(1 - Math.abs(x), 0) : cubicKernel(x, -0.5));
  return Array.from({ length: outSize }, (_, index) => {
    const center = step * (index + 0.5);
    const start = Math.max(Math.trunc(center - reach + 0.5), 0);
    const end = Math.min(Math.trunc(center + reach + 0.5), size);
    const taps = Array.from({ length: end - start }, (_tap, i) => ({
      place: start + i,
      weight: filter((start + i - center + 0.5) / width),
    }));
    const total = taps.reduce((sum, { weight }) => sum + weight, 0);
    return taps.map(({ place, weight }) => ({ place, weight: total === 0 ? weight : weight / total }));
  });
}

function tapsOf(axis: Axis, mode: InterpolationMode, alignCorners: boolean, antialias: boolean): TapMap {
  const { size } = axis;
  if (antialias) return { size, rows: antialiasTaps(axis, alignCorners, mode === "bicubic" ? mode : "bilinear") };
  return { size, rows: mode === "bicubic" ? cubicTaps(axis, alignCorners) : linearTaps(axis, alignCorners) };
}

// --- along one dimension ---------------------------------------------------------------------------------------------

/** The entries of `x` at `places` along `dim`: as a view, where each is repeated equally often or every so many are taken. */
function takeAlong(x: Node, dim: number, places: readonly number[]): Node {
  const size = x.shape[dim]!;
  const times = places.length / size;
  if (Number.isInteger(times) && places.every((place, index) => place === Math.floor(index / times))) {
    if (times === 1) return x;
    const repeated = expand(unsqueeze(x, dim + 1), x.shape.toSpliced(dim + 1, 0, times));
    return reshape(repeated, x.shape.with(dim, places.length));
  }
  const step = Math.floor(size / places.length);
  if (step * places.length === size && places.every((place, index) => place === index * step)) {
    return slice(
      x,
      [],
      [],
      x.shape.map((_, d) => (d === dim ? step : 1)),
    );
  }
  return mapAlong(x, dim, takingMap(size, places));
}

/**
 * The values of `[n, c, ...]` between its elements, at as many places as the new sizes say.
 */
export function interpolate(x: Node, options: InterpolateOptions): Node {
  const { mode = "nearest", alignCorners, antialias = false } = options;
  checkMode(x, mode, options);
  const axes = axesOf(x, mode, options);
  const isF64 = x.dtype === "f64";
  const along = (value: Node, axis: Axis, d: number): Node => {
    const dim = d + 2;
    if (mode === "area") return meanAdaptive(value, dim, axis.outSize);
    if (!takesCorners(mode)) return takeAlong(value, dim, nearestPlaces(axis, mode === "nearest-exact", isF64));
    return mapAlong(value, dim, tapsOf(axis, mode, alignCorners ?? false, antialias));
  };
  // the last dimension first: PyTorch's innermost sum
  const allAlong = (value: Node): Node => axes.reduceRight(along, value);
  return mode.startsWith("nearest") ? allAlong(x) : inF32([x], allAlong);
}
