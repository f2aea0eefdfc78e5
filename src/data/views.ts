/**
 * MoCo's random views, each of one dispatch: bytes that stay on the device go in, and a small table of what was drawn. The table is
 * drawn there too, from the counter-based generator, so that every device draws the same.
 */

import { stack } from "../combine";
import { arange } from "../creation";
import { DTypeError } from "../errors";
import { augment as augmentOp, AUGMENTATION_COLUMNS } from "../functional/augment";
import { noGrad } from "../gradient";
import { randomBits } from "../random";
import type { Tensor } from "../tensor";
import { boxesInPlace } from "./cropBoxes";
import { FIXED_ONE } from "./cropTable";
import {
  attrsOf,
  type AugmentOptions,
  checkAugment,
  checkProbability,
  MOCO_CIFAR,
  MOCO_FASHION_MNIST,
  MOCO_V1,
  MOCO_V2,
  rangeOf,
  sigmasOf,
} from "./augmentOptions";

export { AUGMENTATION_COLUMNS } from "../functional/augment";

/** Random words of a sample: three for the box, and one for each other column but height and width. */
const WORDS = AUGMENTATION_COLUMNS.length - 1;

/** Multiples of 2^-24 in [0, 1) from random words. */
const uniformOf = (bits: Tensor): Tensor =>
  bits
    .bitwiseRightShift(8)
    .to("f32")
    .mul(2 ** -24);

/**
 * What random views are made with, a row a sample: box in pixels, flip, whether colours are jittered, the order of their four changes, the
 * factors, gray, blur and its standard deviation, as AUGMENTATION_COLUMNS names them. With `subpixel` boxes have parts of pixels, of 1/65536,
 * and from sides of 256 on what f32 has of them. Flags are 0 or 1. `order` counts the permutations of brightness, contrast, saturation, hue in
 * lexicographic order.
 *
 * @shape images `[m, c, h, w]`, of which only the size counts -> f32 `[n, 14]`
 * @param n how many samples
 * @param options see DrawOptions, and `subpixel`; others of the view are taken too, and do nothing
 * @throws ValueError for ranges and probabilities that are none
 *
 * @example
 * const parameters = drawAugmentation(images, 64, MOCO_V2);
 * const rows = await parameters.toArray(); // the same views in PyTorch: itertools.permutations(range(4))[order] ...
 */
export function drawAugmentation(images: Tensor, n: number, options: AugmentOptions = {}): Tensor {
  checkAugment("drawAugmentation", images, options);
  return noGrad(() => table(images, n, options));
}

function table(images: Tensor, n: number, options: AugmentOptions): Tensor {
  const { device } = images;
  const { pFlip = 0, pJitter = 1, pGray = 0, pBlur = 0, sigma = [0.1, 2], scale, ratio, generator } = options;
  const { subpixel = false, inOrder = false } = options;
  const bits = randomBits([WORDS, n], { device, ...(generator && { generator }) });
  const boxes = boxesInPlace(images, bits, { subpixel, ...(scale && { scale }), ...(ratio && { ratio }) });
  const pixels = (side: Tensor): Tensor => (subpixel ? side.to("f32").mul(1 / FIXED_ONE) : side.to("f32"));
  let word = 3;
  const next = (): Tensor => bits.select(0, word++); // [n]
  const coin = (name: string, p: number): Tensor => uniformOf(next()).lt(checkProbability(name, p)).to("f32");
  const between = ([low, high]: readonly [number, number]): Tensor =>
    uniformOf(next())
      .mul(high - low)
      .add(low);
  const factor = (name: "brightness" | "contrast" | "saturation" | "hue"): Tensor =>
    between(rangeOf(name, options[name] ?? 0, name === "hue" ? 0 : 1));
  const columns: Record<(typeof AUGMENTATION_COLUMNS)[number], Tensor> = {
    top: pixels(boxes.top),
    left: pixels(boxes.left),
    height: pixels(boxes.height),
    width: pixels(boxes.width),
    flip: coin("pFlip", pFlip),
    jitter: coin("pJitter", pJitter),
    order: next()
      .mulHigh(inOrder ? 1 : 24)
      .to("f32"),
    brightness: factor("brightness"),
    contrast: factor("contrast"),
    saturation: factor("saturation"),
    hue: factor("hue"),
    gray: coin("pGray", pGray),
    blur: coin("pBlur", pBlur),
    sigma: between(sigmasOf(sigma)),
  };
  return stack(
    AUGMENTATION_COLUMNS.map((name) => columns[name]),
    1,
  );
}

/**
 * A random view of each image: crop, flip, jitter, gray, blur, normalise; each with a probability and a range of its own, and only where
 * it has one.
 *
 * @shape images u8 `[m, c, h, w]` of 1 or 3 channels, index i32 `[n]` -> f32 `[n, c, ...size]`
 * @param index which images; null for all, in order
 * @param options see AugmentOptions
 * @throws as drawAugmentation and applyAugmentation
 * @see torchvision.transforms: RandomResizedCrop, RandomHorizontalFlip, ColorJitter, RandomGrayscale, GaussianBlur, Normalize
 *
 * @example
 * const view = augment(images, index, { scale: [0.2, 1], pFlip: 0.5, brightness: 0.4, statistics: IMAGENET_STATISTICS });
 */
export function augment(images: Tensor, index: Tensor | null = null, options: AugmentOptions = {}): Tensor {
  return viewsOf("augment", images, index, options, 1)[0]!;
}

/**
 * Two views of each image, as `augment` makes them: one dispatch each, and two for what is drawn for both.
 *
 * @shape as `augment`, twice
 * @throws as `augment`
 *
 * @example
 * const [imQ, imK] = augmentViews(images, index, { ...MOCO_V2, size: 224 });
 */
export function augmentViews(
  images: Tensor,
  index: Tensor | null = null,
  options: AugmentOptions = {},
): [Tensor, Tensor] {
  return viewsOf("augmentViews", images, index, options, 2) as [Tensor, Tensor];
}

function viewsOf(op: string, images: Tensor, index: Tensor | null, options: AugmentOptions, count: number): Tensor[] {
  checkAugment(op, images, options);
  checkBytes(op, images);
  return noGrad(() => {
    const n = (index ?? images).size(0);
    const parameters = table(images, count * n, options);
    const which = indexOf(images, index, n);
    const attrs = attrsOf(images, options);
    return Array.from({ length: count }, (_, view) =>
      augmentOp(images, which, parameters.narrow(0, view * n, n), attrs),
    );
  });
}

/**
 * A random view as MoCo v1 has it: crop, gray with probability 0.2, jitter, flip, normalise. Options as `augment`, over MOCO_V1.
 *
 * @shape as `augment`
 * @throws as `augment`, whose name stands in what is said
 * @see He et al. 2019 (arXiv:1911.05722)
 *
 * @example
 * const imQ = mocoV1Augment(images, index, { size: 224 });
 */
export const mocoV1Augment = (images: Tensor, index: Tensor | null = null, options: AugmentOptions = {}): Tensor =>
  augment(images, index, { ...MOCO_V1, ...options });

/**
 * A random view as MoCo v2 has it: crop, jitter with probability 0.8, gray 0.2, blur 0.5, flip, normalise. Options as `augment`,
 * over MOCO_V2. `augmentViews` with MOCO_V2 makes two at once.
 *
 * @shape as `augment`
 * @throws as `augment`, whose name stands in what is said
 * @see Chen et al. 2020 (arXiv:2003.04297)
 *
 * @example
 * const imQ = mocoV2Augment(images, index, { size: 224 });
 */
export const mocoV2Augment = (images: Tensor, index: Tensor | null = null, options: AugmentOptions = {}): Tensor =>
  augment(images, index, { ...MOCO_V2, ...options });

/**
 * A random view as MoCo's recipe for CIFAR has it: crop, flip, jitter with probability 0.8, gray 0.2, normalise. Options as `augment`,
 * over MOCO_CIFAR.
 *
 * @shape as `augment`
 * @throws as `augment`, whose name stands in what is said
 *
 * @example
 * const imQ = cifarAugment(images, index, { scale: [0.2, 1] });
 */
export const cifarAugment = (images: Tensor, index: Tensor | null = null, options: AugmentOptions = {}): Tensor =>
  augment(images, index, { ...MOCO_CIFAR, ...options });

/**
 * A random view as our recipe for Fashion-MNIST has it, of images of 1 or 3 channels: a crop between pixels of about 80 to 100 % of the area,
 * with probability 0.8 brightness and then contrast by 0.6 to 1.4, normalised. Options as `augment`, over MOCO_FASHION_MNIST. Call it twice
 * for two views.
 *
 * @shape as `augment`
 * @throws as `augment`, whose name stands in what is said
 *
 * @example
 * const images = await tensor(train.images, { shape: [train.count, 1, 28, 28] }).realize();
 * const [imQ, imK] = [mocoAugment(images, index), mocoAugment(images, index)];
 */
export const mocoAugment = (images: Tensor, index: Tensor | null = null, options: AugmentOptions = {}): Tensor =>
  augment(images, index, { ...MOCO_FASHION_MNIST, ...options });

/**
 * Views made with parameters that were drawn before, or elsewhere.
 *
 * Crops are resized bilinearly without antialiasing and, but for `subpixel`, without a look outside the box; what follows is computed on
 * values in 0 to 1 that are not rounded to bytes. The blur is separable and mirrors the image about its last pixels.
 *
 * @shape images u8 `[m, c, h, w]` of 1 or 3 channels, index i32 `[n]`, parameters f32 `[n, 14]` -> f32 `[n, c, ...size]`
 * @param index which images; null for the first n, in order
 * @param options see ViewOptions; those of the draw are taken too, and do nothing. `subpixel` as the parameters were drawn
 * @throws DTypeError if images are no bytes, ShapeError if sizes do not agree, IndexError for images that are not there
 * @see torchvision.transforms.functional: resized_crop, hflip, adjust_brightness ..., rgb_to_grayscale, gaussian_blur, normalize
 *
 * @example
 * const parameters = drawAugmentation(images, 64, MOCO_V2);
 * const views = applyAugmentation(images, index, parameters, MOCO_V2);
 */
export function applyAugmentation(
  images: Tensor,
  index: Tensor | null,
  parameters: Tensor,
  options: AugmentOptions = {},
): Tensor {
  checkAugment("applyAugmentation", images, options);
  checkBytes("applyAugmentation", images);
  return noGrad(() =>
    augmentOp(images, indexOf(images, index, parameters.size(0)), parameters, attrsOf(images, options)),
  );
}

const indexOf = (images: Tensor, index: Tensor | null, n: number): Tensor =>
  (index ?? arange(n, { device: images.device })).int();

function checkBytes(op: string, images: Tensor): void {
  if (images.dtype === "u8") return;
  throw new DTypeError(`${op}: images must be u8, got ${images.dtype}. Pass bytes, 0 to 255.`);
}
