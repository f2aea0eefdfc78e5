/** Images with labels on a device, as the evaluations that train take them, and how many of them a classifier gets right. */

import { arange } from "../creation";
import { checkSource, type ImageSource, isImageSource } from "../data/imageSource";
import { DeviceError, DTypeError, IndexError, ShapeError } from "../errors";
import { where } from "../functions";
import { noGrad } from "../gradient";
import { type Shape, showShape } from "../graph/shape";
import type { Linear } from "../nn";
import { Tensor } from "../tensor";
import { checkTensorOptions } from "./checks";
import { gathered, rowsOf } from "./features";

/** Images and their classes, on one device. */
export interface LabeledTensors {
  /** `[n, c, h, w]`, as `prepare` takes them: bytes, say. */
  readonly images: Tensor;
  /** Integers `[n]`, 0 to `numClasses - 1`. */
  readonly labels: Tensor;
}

/** As LabeledTensors, or of images that are read a batch at a time. */
export interface LabeledSource {
  readonly images: Tensor | ImageSource;
  /** Integers `[n]`, 0 to `numClasses - 1`. */
  readonly labels: Tensor;
}

/** Percent of the images that are classified right. */
export interface Accuracies {
  /** Whose class has the largest score. */
  readonly top1: number;
  /** Whose class is among the five largest scores. */
  readonly top5: number;
}

/**
 * Checks labelled images.
 *
 * @returns the labels as i32
 * @throws ShapeError, DTypeError, DeviceError, IndexError if they do not fit
 */
export async function checkedLabels(
  op: string,
  part: string,
  { images, labels }: LabeledSource,
  numClasses: number,
): Promise<Tensor> {
  if (isImageSource(images)) checkSource(op, images);
  checkTensorOptions(op, { ...(!isImageSource(images) && { [`${part}.images`]: images }), [`${part}.labels`]: labels });
  if (images instanceof Tensor && images.device !== labels.device) {
    throw new DeviceError(
      `${op}: ${part}.images and labels must be on one device, got ${images.device.name} and ${labels.device.name}. Move one of them.`,
    );
  }
  const shape = shapeOf(images);
  if (shape.length < 1 || labels.ndim !== 1 || shape[0] !== labels.shape[0] || shape[0] === 0) {
    throw new ShapeError(
      `${op}: ${part} must have images [n, ...] and labels [n], got ${showShape(shape)} and ${showShape(labels.shape)}. Pass a label for each image.`,
    );
  }
  for (const label of await labels.data()) {
    if (Number.isInteger(label) && label >= 0 && label < numClasses) continue;
    throw new IndexError(
      `${op}: ${part}.labels must be integers in 0..${numClasses - 1}, got ${label}. Pass all classes.`,
    );
  }
  return labels.int().realize();
}

const shapeOf = (images: Tensor | ImageSource): Shape =>
  images instanceof Tensor ? images.shape : [images.count, images.channels, images.height, images.width];

/**
 * Images that a step picks some of, and augments.
 *
 * @throws DTypeError for images that are read when they are needed: a step does not wait
 */
export function heldImages(op: string, { images }: LabeledSource): Tensor {
  if (images instanceof Tensor) return images;
  throw new DTypeError(
    `${op}: train.images must be a tensor, as each step encodes some anew, got images that are read when they are needed. Read fewer of them into a tensor.`,
  );
}

/**
 * How well a layer tells classes by features.
 *
 * @shape features `[n, dim]`, labels i32 `[n]`
 */
export async function accuraciesOf(
  classifier: Linear,
  features: Tensor,
  labels: Tensor,
  batchSize: number,
): Promise<Accuracies> {
  async function* parts(): AsyncGenerator<Tensor> {
    for (const rows of rowsOf(features, batchSize)) {
      const scores = (): Tensor => classifier.forward(features.indexSelect(0, rows));
      yield await noGrad(() => ranksOf(scores(), labels.indexSelect(0, rows))).realize();
    }
  }
  const ranks = await gathered(parts()); // [n]
  const values = await ranks.data();
  ranks.dispose();
  const percent = (k: number): number => (100 * values.filter((rank) => rank < k).length) / values.length;
  return { top1: percent(1), top5: percent(5) };
}

/**
 * How many other classes come before the right one: by a larger score, or by an equal one and a smaller number, as argmax has it.
 * An output that diverged is wrong: with a score that is not finite, more of them than there are.
 *
 * @shape scores `[n, classes]`, labels i32 `[n]` -> i32 `[n]`
 */
function ranksOf(scores: Tensor, labels: Tensor): Tensor {
  const right = labels.unsqueeze(1); // [n, 1]
  const own = scores.gather(1, right); // [n, 1]
  const isEarlier = arange(scores.size(1), { device: scores.device }).lt(right); // [n, classes]
  const isBefore = scores.gt(own).logicalOr(scores.eq(own).logicalAnd(isEarlier));
  return where(scores.isfinite().all(1), isBefore.int().sum(1), NEVER);
}

/** No accuracy counts that many classes. */
const NEVER = 2 ** 30;
