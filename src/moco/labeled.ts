/** Images with labels on a device, as the evaluations that train take them, and how many of them a classifier gets right. */

import { cat } from "../combine";
import { DeviceError, DTypeError, IndexError, ShapeError } from "../errors";
import { noGrad } from "../gradient";
import { showShape } from "../graph/shape";
import type { Linear } from "../nn";
import { describe } from "../options";
import { realize, Tensor } from "../tensor";
import { rowsOf } from "./features";

/** Images and their classes, on one device. */
export interface LabeledTensors {
  /** `[n, c, h, w]`, as `prepare` takes them: bytes, say. */
  readonly images: Tensor;
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
  { images, labels }: LabeledTensors,
  numClasses: number,
): Promise<Tensor> {
  for (const [name, value] of Object.entries({ images, labels })) {
    const isTensor: boolean = value instanceof Tensor; // callers without types may pass anything
    if (!isTensor)
      throw new DTypeError(`${op}: ${part}.${name} must be a tensor, got ${describe(value)}. Write tensor(values).`);
  }
  if (images.device !== labels.device) {
    throw new DeviceError(
      `${op}: ${part}.images and labels must be on one device, got ${images.device.name} and ${labels.device.name}. Move one of them.`,
    );
  }
  if (images.ndim < 1 || labels.ndim !== 1 || images.shape[0] !== labels.shape[0] || images.shape[0] === 0) {
    throw new ShapeError(
      `${op}: ${part} must have images [n, ...] and labels [n], got ${showShape(images.shape)} and ${showShape(labels.shape)}. Pass a label for each image.`,
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
  const parts: Tensor[] = [];
  for (const rows of rowsOf(features, batchSize)) {
    parts.push(
      await noGrad(() =>
        notBelow(classifier.forward(features.indexSelect(0, rows)), labels.indexSelect(0, rows)),
      ).realize(),
    );
  }
  const ranks = cat(parts); // [n]
  const [top1, top5] = [1, 5].map((k) => ranks.lt(k).int().sum()) as [Tensor, Tensor];
  await realize(top1, top5);
  const percent = async (right: Tensor): Promise<number> => (100 * (await right.item())) / features.size(0);
  return { top1: await percent(top1), top5: await percent(top5) };
}

/**
 * How many other classes have a larger score than the right one, or one that is no number: an output that diverged is wrong.
 *
 * @shape scores `[n, classes]`, labels i32 `[n]` -> i32 `[n]`
 */
function notBelow(scores: Tensor, labels: Tensor): Tensor {
  const own = scores.gather(1, labels.unsqueeze(1)); // [n, 1]
  const isBelow = scores.le(own).logicalAnd(scores.isfinite());
  return isBelow.logicalNot().int().sum(1);
}
