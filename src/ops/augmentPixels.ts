/**
 * What `augment` does to one sample, in f64: torchvision's transforms of tensors, with what was drawn given. A view is a list of planes, one
 * a channel, with values in 0 to 1.
 */

/** Planes of `height * width` values each. */
export interface View {
  readonly height: number;
  readonly width: number;
  readonly planes: readonly Float64Array[];
}

/** What is drawn for each sample, in the order of a table's columns. Lengths are pixels. */
export const AUGMENTATION_COLUMNS = [
  ...(["top", "left", "height", "width", "flip"] as const),
  ...(["jitter", "order", "brightness", "contrast", "saturation", "hue"] as const),
  ...(["gray", "blur", "sigma"] as const),
] as const;

/** The values of one sample; flags are 0 or 1. */
export type Drawn = Readonly<Record<(typeof AUGMENTATION_COLUMNS)[number], number>>;

const luminance = [0.2989, 0.587, 0.114] as const;

// --- crop

/** Two pixels along a side, and how far from the first. */
interface Place {
  readonly low: number;
  readonly high: number;
  readonly part: number;
}

interface Box {
  readonly start: number;
  readonly size: number;
}

/** The two pixels that pixel `i` of `count` lies between, inside a box of whole pixels. */
function placeInside(i: number, { start, size }: Box, count: number): Place {
  const at = Math.max((2 * i + 1) * size - count, 0); // times 2 * count
  const low = Math.floor(at / (2 * count));
  return { low: start + low, high: start + Math.min(low + 1, size - 1), part: (at % (2 * count)) / (2 * count) };
}

/** The two pixels of a whole side that pixel `i` of `count` lies between, in a box that starts anywhere. */
function placeAnywhere(i: number, { start, size }: Box, count: number, side: number): Place {
  const at = Math.min(Math.max(start + ((i + 0.5) * size) / count - 0.5, 0), side - 1);
  const low = Math.floor(at);
  return { low, high: Math.min(low + 1, side - 1), part: at - low };
}

/** Bytes of an image's planes, and their sides. */
export interface Bytes {
  readonly data: ArrayLike<number>;
  readonly start: number;
  readonly channels: number;
  readonly height: number;
  readonly width: number;
}

/** A box, resized bilinearly, without looking outside it unless it lies between pixels, and mirrored or not. */
export function crop(
  image: Bytes,
  own: Drawn,
  { size: [height, width], isSubpixel }: { readonly size: readonly [number, number]; readonly isSubpixel: boolean },
): View {
  const placesOf = (box: Box, count: number, side: number): Place[] =>
    Array.from({ length: count }, (_, i) =>
      isSubpixel ? placeAnywhere(i, box, count, side) : placeInside(i, box, count),
    );
  const rows = placesOf({ start: own.top, size: own.height }, height, image.height);
  const columns = placesOf({ start: own.left, size: own.width }, width, image.width);
  if (own.flip !== 0) columns.reverse();
  const planes = Array.from({ length: image.channels }, (_, c) => {
    const pixel = (y: number, x: number): number =>
      image.data[image.start + (c * image.height + y) * image.width + x]! / 255;
    const plane = new Float64Array(height * width);
    rows.forEach((row, y) =>
      columns.forEach((column, x) => {
        const along = (line: number): number =>
          (1 - column.part) * pixel(line, column.low) + column.part * pixel(line, column.high);
        plane[y * width + x] = (1 - row.part) * along(row.low) + row.part * along(row.high);
      }),
    );
    return plane;
  });
  return { height, width, planes };
}

// --- colours

/** A view with another colour in each pixel. */
function recoloured(view: View, change: (pixel: readonly number[]) => readonly number[]): View {
  const planes = view.planes.map((plane) => new Float64Array(plane.length));
  for (let p = 0; p < view.height * view.width; p++) {
    change(view.planes.map((plane) => plane[p]!)).forEach((value, c) => (planes[c]![p] = value));
  }
  return { ...view, planes };
}

const grayOf = (pixel: readonly number[]): number =>
  pixel.length === 1 ? pixel[0]! : luminance.reduce((sum, weight, c) => sum + weight * pixel[c]!, 0);

const clamp = (value: number): number => Math.min(Math.max(value, 0), 1);

const blend = (pixel: readonly number[], other: number, factor: number): number[] =>
  pixel.map((value) => clamp(factor * value + (1 - factor) * other));

/** Turned by a part of the colour circle, through hue, saturation and value. */
function turn(pixel: readonly number[], part: number): readonly number[] {
  const [red, green, blue] = pixel as [number, number, number];
  const largest = Math.max(red, green, blue);
  const chroma = largest - Math.min(red, green, blue);
  if (chroma === 0) return pixel; // gray has no hue
  const hue =
    largest === red
      ? (green - blue) / chroma
      : largest === green
        ? 2 + (blue - red) / chroma
        : 4 + (red - green) / chroma; // in sixths
  return [5, 3, 1].map((channel) => {
    const sixths = channel + hue + 6 * part;
    const k = sixths - 6 * Math.floor(sixths / 6);
    return largest - chroma * clamp(Math.min(k, 4 - k));
  });
}

function contrasted(view: View, factor: number): View {
  let sum = 0;
  recoloured(view, (pixel) => {
    sum += grayOf(pixel);
    return pixel;
  });
  const mean = sum / (view.height * view.width);
  return recoloured(view, (pixel) => blend(pixel, mean, factor));
}

/** What each number of an order does. One channel has no saturation, and no hue. */
const COLOURS: readonly ((view: View, own: Drawn) => View)[] = [
  (view, own) => recoloured(view, (pixel) => blend(pixel, 0, own.brightness)),
  (view, own) => contrasted(view, own.contrast),
  (view, own) =>
    view.planes.length === 1 ? view : recoloured(view, (pixel) => blend(pixel, grayOf(pixel), own.saturation)),
  (view, own) => (view.planes.length === 1 ? view : recoloured(view, (pixel) => turn(pixel, own.hue))),
];

/** Permutation `number` of 0, 1, 2, 3, counted in lexicographic order. */
export function orderOf(number: number): number[] {
  const left = [0, 1, 2, 3];
  return [Math.floor(number / 6), Math.floor(number / 2) % 3, number % 2, 0].map((place) => left.splice(place, 1)[0]!);
}

export const jitter = (view: View, own: Drawn): View =>
  own.jitter === 0 ? view : orderOf(own.order).reduce((result, colour) => COLOURS[colour]!(result, own), view);

export const gray = (view: View, own: Drawn): View =>
  own.gray === 0 ? view : recoloured(view, (pixel) => pixel.map(() => grayOf(pixel)));

// --- blur

/** Weights of a Gaussian at `taps` whole places around 0, with the sum 1. */
export function gaussian(taps: number, sigma: number): number[] {
  const weights = Array.from({ length: taps }, (_, i) => Math.exp(-0.5 * ((i - (taps - 1) / 2) / sigma) ** 2));
  const total = weights.reduce((sum, weight) => sum + weight, 0);
  return weights.map((weight) => weight / total);
}

/** Where a line of `size` pixels has its pixel `i`, as if it went on mirrored about its last ones. */
const mirrored = (i: number, size: number): number => Math.min(Math.abs(i), 2 * (size - 1) - Math.abs(i));

/** Weighted sums of neighbours along a side of `size` pixels that lie `step` values apart. */
function blurredAlong(
  plane: Float64Array,
  weights: readonly number[],
  { size, step }: { readonly size: number; readonly step: number },
): Float64Array {
  const reach = (weights.length - 1) / 2;
  return plane.map((_, p) => {
    const at = Math.floor(p / step) % size;
    const neighbour = (tap: number): number => plane[p + (mirrored(at + tap - reach, size) - at) * step]!;
    return weights.reduce((sum, weight, tap) => sum + weight * neighbour(tap), 0);
  });
}

/** A Gaussian of so many taps along both sides. */
export function blur(view: View, own: Drawn, taps: number): View {
  if (own.blur === 0 || taps === 1) return view;
  const weights = gaussian(taps, own.sigma);
  const planes = view.planes.map((plane) =>
    blurredAlong(blurredAlong(plane, weights, { size: view.width, step: 1 }), weights, {
      size: view.height,
      step: view.width,
    }),
  );
  return { ...view, planes };
}
