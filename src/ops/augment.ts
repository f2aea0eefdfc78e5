/**
 * Views of images for contrastive learning: MoCo's whole chain of random transforms as one op. What is drawn is an input, so that a view
 * can be made again, or elsewhere.
 */

import { ShapeError, ValueError } from "../errors";
import type { HostArray } from "../graph/dtype";
import type { Node } from "../graph/node";
import { showShape } from "../graph/shape";
import { AUGMENTATION_COLUMNS, blur, type Bytes, crop, type Drawn, gray, jitter, type View } from "./augmentPixels";
import { checkDType, checkRank } from "./check";
import { withoutGrad } from "./custom";
import { checkKnown, checkRange } from "./indexing";
import type { AugmentInfo } from "./kernelInfo";
import { apply, defineOp } from "./op";

export { AUGMENTATION_COLUMNS } from "./augmentPixels";

/** How views are made, alike for all samples. */
export type AugmentAttrs = {
  readonly size: readonly [height: number, width: number];
  /** One a channel. */
  readonly mean: readonly number[];
  readonly std: readonly number[];
  /** Whether colours become gray before they are jittered, and not after. */
  readonly isGrayFirst: boolean;
  /** Whether boxes may start and end between pixels, and pixels around a box count; otherwise nothing outside a box counts. */
  readonly isSubpixel: boolean;
  /** Side of the blur's kernel in pixels, odd; 1 for no blur. */
  readonly taps: number;
};

/** Pixels of a view, and half of the numbers by which positions are counted: what the kernel divides exactly. */
const MOST_PIXELS = 2 ** 21;
const MOST_STEPS = 2 ** 29;

function checkSizes(images: Node, { size, mean, std, taps }: AugmentAttrs): void {
  const [, channels, height, width] = images.shape as [number, number, number, number];
  if (channels !== 1 && channels !== 3) {
    throw new ShapeError(
      `augment: images must have 1 or 3 channels, got ${showShape(images.shape)}. Split them, or take some of the channels.`,
    );
  }
  const [outHeight, outWidth] = size;
  const isWhole = size.every((side) => Number.isInteger(side) && side > 0);
  if (!isWhole || outHeight * outWidth >= MOST_PIXELS || Math.max(outHeight * height, outWidth * width) >= MOST_STEPS) {
    throw new ShapeError(
      `augment: size must be two whole numbers of pixels, less than ${MOST_PIXELS} in all, got ${showShape(size)}. Pass [height, width].`,
    );
  }
  if (!(Number.isInteger(taps) && taps % 2 === 1 && taps >= 1 && taps < 2 * Math.min(outHeight, outWidth))) {
    throw new ValueError(
      `augment: the blur's kernel must be odd and reach no further than the view's side, got ${taps} for ${showShape(size)}. Pass about a tenth of the side.`,
    );
  }
  for (const [name, values] of Object.entries({ mean, std })) {
    if (values.length === channels) continue;
    throw new ShapeError(
      `augment: ${name} must have one number a channel, got ${values.length} for ${showShape(images.shape)}. Pass ${channels}.`,
    );
  }
}

function checkInputs(images: Node, index: Node, parameters: Node): void {
  checkDType("augment", [images], ["u8"]);
  checkDType("augment", [index], ["i32"]);
  checkDType("augment", [parameters], ["f32", "f64"]);
  checkRank("augment", "images", images, 4, "[m, c, h, w]");
  checkRank("augment", "index", index, 1, "[n]");
  const [n] = index.shape as [number];
  const columns = AUGMENTATION_COLUMNS.length;
  if (parameters.shape.length !== 2 || parameters.shape[0] !== n || parameters.shape[1] !== columns) {
    throw new ShapeError(
      `augment: parameters must be ${showShape([n, columns])}, one row a sample, got ${showShape(parameters.shape)}. Draw as many.`,
    );
  }
  if (n > 0 && images.shape.includes(0)) {
    throw new ShapeError(`augment: there must be images, got ${showShape(images.shape)}. Use an empty index.`);
  }
}

/** A box whose sides were rounded to f32 may end this much too far, as a part of the image's side. */
const BOX_ROUNDING = 2 ** -22;

function drawnFor(
  { shape, data }: HostArray,
  sample: number,
  [height, width]: readonly [number, number],
  isSubpixel: boolean,
): Drawn {
  const row = sample * shape[1]!;
  const own = Object.fromEntries(AUGMENTATION_COLUMNS.map((name, i) => [name, data[row + i]!])) as Drawn;
  const fits = (start: number, size: number, side: number): boolean =>
    start >= 0 && size > 0 && start + size <= side * (1 + BOX_ROUNDING);
  const isWhole = [own.top, own.left, own.height, own.width].every(Number.isInteger);
  if (fits(own.top, own.height, height) && fits(own.left, own.width, width) && (isSubpixel || isWhole)) return own;
  throw new ValueError(
    `augment: boxes must lie in images of ${height} x ${width}${isSubpixel ? "" : ", of whole pixels"}, ` +
      `got top ${own.top}, left ${own.left}, height ${own.height}, width ${own.width} for sample ${sample}. ` +
      `Draw them for this size, with the same options.`,
  );
}

/** A view before it is normalised. */
function viewOf(image: Bytes, own: Drawn, { size, isGrayFirst, isSubpixel, taps }: AugmentAttrs): View {
  const cropped = crop(image, own, { size, isSubpixel });
  return blur(isGrayFirst ? jitter(gray(cropped, own), own) : gray(jitter(cropped, own), own), own, taps);
}

function evaluate([images, index, parameters]: readonly HostArray[], output: HostArray, attrs: AugmentAttrs): void {
  const [count, channels, height, width] = images!.shape as [number, number, number, number];
  checkRange("augment", index!.data, count);
  let at = 0;
  index!.data.forEach((image: number, sample: number) => {
    const own = drawnFor(parameters!, sample, [height, width], attrs.isSubpixel);
    const start = image * channels * height * width;
    viewOf({ data: images!.data, start, channels, height, width }, own, attrs).planes.forEach((plane, c) => {
      for (const value of plane) output.data[at++] = (value - attrs.mean[c]!) / attrs.std[c]!;
    });
  });
}

/**
 * Inputs: images u8 `[m, c, h, w]`, index i32 `[n]`, parameters f32 `[n, 14]`: the columns of AUGMENTATION_COLUMNS. Output, of their dtype,
 * `[n, c, *size]`: crop, flip, jitter, gray, blur, normalise, or gray before jitter. A flip commutes with all of the others, and gray with
 * blur, but for rounding; so these two orders are all that MoCo's chains differ in.
 */
export const augmentOp = defineOp<AugmentAttrs>({
  name: "augment",
  infer([images, index, parameters], attrs) {
    checkInputs(images!, index!, parameters!);
    checkSizes(images!, attrs);
    return { shape: [index!.shape[0]!, images!.shape[1]!, ...attrs.size], dtype: parameters!.dtype };
  },
  evaluate,
  vjp: null, // bytes, places and what is drawn
  lowering: {
    kind: "kernel",
    call: ({ inputs: [images, index], attrs }) => ({
      kernel: "augment",
      info: infoOf(images!, index!, attrs as unknown as AugmentAttrs),
    }),
  },
  indices: ({ inputs: [images, index] }) => ({ op: "augment", index: index!, low: 0, size: images!.shape[0]! }),
});

function infoOf(images: Node, index: Node, { size, ...attrs }: AugmentAttrs): AugmentInfo {
  const [count, channels, height, width] = images.shape as [number, number, number, number];
  const [outHeight, outWidth] = size;
  return {
    n: index.shape[0]!,
    count,
    channels,
    height,
    width,
    outHeight,
    outWidth,
    columns: AUGMENTATION_COLUMNS.length,
    ...attrs,
  };
}

/** One view of each image that `index` names, given what was drawn for it. No gradient flows. */
export function augment(images: Node, index: Node, parameters: Node, attrs: AugmentAttrs): Node {
  if (images.shape.length === 4) checkKnown("augment", index, images.shape[0]!);
  return apply(augmentOp, [images, index, withoutGrad(parameters)], attrs);
}
