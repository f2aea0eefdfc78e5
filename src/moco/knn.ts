/** Judging features without training: a weighted vote among the nearest neighbours, as MoCo's CIFAR code does it. */

import { IndexError, ShapeError, ValueError } from "../errors";
import * as F from "../functional";
import { where } from "../functions";
import { noGrad } from "../gradient";
import { showShape } from "../graph/shape";
import { checkCounts, checkOptionNames } from "../options";
import type { Tensor } from "../tensor";
import { checkTemperature, checkTensorOptions } from "./checks";
import { gathered, rowsOf } from "./features";

/** What `knnPredict` takes. */
export interface KnnOptions {
  /** Features with known labels, `[m, dim]`. */
  readonly bank: Tensor;
  /** i32 `[m]`. */
  readonly bankLabels: Tensor;
  /** Features to classify, `[n, dim]`. */
  readonly features: Tensor;
  /** Neighbours that vote; default 200. Always say which `k` a number is for. */
  readonly k?: number;
  /** A neighbour of similarity s has the weight `exp(s / temperature)`; default 0.1. */
  readonly temperature?: number;
  readonly numClasses: number;
  /** Features that are compared at once; default 256. */
  readonly chunkSize?: number;
  /** Hears how many features have been compared. What it throws ends it. */
  readonly onProgress?: (done: number, count: number) => void;
}

const OPTION_NAMES = ["bank", "bankLabels", "features", "k", "temperature", "numClasses", "chunkSize", "onProgress"];

/** The class of what has none. */
const NO_CLASS = -1;

/**
 * Classes by the weighted vote of the `k` most similar entries of a bank. Similarity is the cosine. Votes that are
 * equal go to the first class, and of neighbours that are equally far the first vote. Features that are not finite, as of an encoder
 * that diverged, have no class, -1, and where the bank has such, nothing has one.
 *
 * @shape features `[n, dim]` -> i32 `[n]`
 * @throws DTypeError for what is no tensor, ShapeError if features and bank do not fit, ValueError for an unknown option, if `k` is larger
 *   than the bank, a count not positive or the temperature not, IndexError for a label that is no class
 * @see Wu et al. 2018 (arXiv:1805.01978), section 3.4; MoCo's CIFAR notebook, knn_predict
 *
 * @example
 * const predicted = await knnPredict({ bank, bankLabels, features, numClasses: 10 });
 */
export async function knnPredict(options: KnnOptions): Promise<Tensor> {
  checkOptionNames("knnPredict", options, OPTION_NAMES);
  const { bank, bankLabels, features, k = 200, temperature = 0.1, numClasses, chunkSize = 256 } = options;
  checkTensorOptions("knnPredict", { bank, bankLabels, features });
  if (
    bank.ndim !== 2 ||
    features.ndim !== 2 ||
    bank.shape[1] !== features.shape[1] ||
    bankLabels.ndim !== 1 ||
    bankLabels.shape[0] !== bank.shape[0]
  ) {
    throw new ShapeError(
      `knnPredict: bank [m, dim], bankLabels [m] and features [n, dim] must fit, got ${showShape(bank.shape)}, ${showShape(bankLabels.shape)} and ${showShape(features.shape)}. Flatten the features.`,
    );
  }
  if (!(Number.isInteger(k) && k >= 1 && k <= bank.size(0))) {
    throw new ValueError(`knnPredict: k must be in 1..${bank.size(0)}, got ${k}. Use a larger bank.`);
  }
  checkCounts("knnPredict", { numClasses, chunkSize });
  checkTemperature("knnPredict", temperature);
  for (const label of await bankLabels.data()) {
    if (label >= 0 && label < numClasses) continue;
    throw new IndexError(`knnPredict: bankLabels must be in 0..${numClasses - 1}, got ${label}. Pass all classes.`);
  }
  using directions = await noGrad(() => F.normalize(bank, { dim: 1 }).transpose(0, 1)).realize(); // [dim, m]
  const classesOf = (chunk: Tensor): Tensor => {
    const similarity = F.normalize(chunk, { dim: 1 }).matmul(directions); // [c, m]
    const { values, indices } = similarity.topk(k); // [c, k]
    const labels = bankLabels.indexSelect(0, indices.flatten()).reshape(indices.shape); // [c, k]
    const nearest = values.narrow(1, 0, 1); // [c, 1]; NaN, if there is one
    // relative to the nearest: no weight overflows
    const weights = values.sub(nearest).div(temperature).exp().unsqueeze(-1); // [c, k, 1]
    const votes = F.oneHot(labels, numClasses).float().mul(weights).sum(1); // [c, numClasses]
    return where(nearest.isfinite().squeeze(1), votes.argmax(1), NO_CLASS); // [c]
  };
  async function* predictions(): AsyncGenerator<Tensor> {
    let done = 0;
    for (const rows of rowsOf(features, chunkSize)) {
      yield await noGrad(() => classesOf(features.indexSelect(0, rows))).realize();
      done += rows.size(0);
      options.onProgress?.(done, features.size(0));
    }
  }
  return await gathered(predictions()); // the directions are needed until then
}

/**
 * Percent of the features that `knnPredict` classifies as their label. Those without a class are wrong.
 *
 * @param options as `knnPredict`, with `labels` i32 `[n]`
 * @throws ShapeError, DTypeError for other labels than one for each of the features, and what `knnPredict` throws
 *
 * @example
 * const accuracy = await knnAccuracy({ bank, bankLabels, features, labels, numClasses: 10 }); // k 200
 */
export async function knnAccuracy(options: KnnOptions & { readonly labels: Tensor }): Promise<number> {
  checkOptionNames("knnAccuracy", options, [...OPTION_NAMES, "labels"]);
  const { labels, ...others } = options;
  checkTensorOptions("knnAccuracy", { labels, features: others.features });
  if (labels.ndim !== 1 || labels.shape[0] !== others.features.shape[0]) {
    throw new ShapeError(
      `knnAccuracy: labels must be [n], one for each of the features [n, dim], got ${showShape(labels.shape)} and ${showShape(others.features.shape)}. Flatten the labels.`,
    );
  }
  using predicted = await knnPredict(others);
  const isRight = predicted.eq(labels).logicalAnd(predicted.ne(NO_CLASS));
  return await isRight.float().mul(100).mean().item();
}
