/** Judging features without training: a weighted vote among the nearest neighbours, as MoCo's CIFAR code does it. */

import { cat } from "../combine";
import { IndexError, ShapeError, ValueError } from "../errors";
import * as F from "../functional";
import { noGrad } from "../gradient";
import { showShape } from "../graph/shape";
import type { Tensor } from "../tensor";
import { checkTemperature } from "./checks";
import { rowsOf } from "./features";

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
}

/**
 * Classes by the weighted vote of the `k` most similar entries of a bank. Similarity is the cosine. Votes that are
 * equal go to the first class, and of neighbours that are equally far the first vote.
 *
 * @shape features `[n, dim]` -> i32 `[n]`
 * @throws ShapeError if features and bank do not fit, ValueError if `k` is larger than the bank or the temperature not
 *   positive, IndexError for a label that is no class
 * @see Wu et al. 2018 (arXiv:1805.01978), section 3.4; MoCo's CIFAR notebook, knn_predict
 *
 * @example
 * const predicted = await knnPredict({ bank, bankLabels, features, numClasses: 10 });
 */
export async function knnPredict(options: KnnOptions): Promise<Tensor> {
  const { bank, bankLabels, features, k = 200, temperature = 0.1, numClasses, chunkSize = 256 } = options;
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
  checkTemperature("knnPredict", temperature);
  for (const label of await bankLabels.data()) {
    if (label >= 0 && label < numClasses) continue;
    throw new IndexError(`knnPredict: bankLabels must be in 0..${numClasses - 1}, got ${label}. Pass all classes.`);
  }
  const directions = await noGrad(() => F.normalize(bank, { dim: 1 }).transpose(0, 1)).realize(); // [dim, m]
  const votes = (chunk: Tensor): Tensor => {
    const similarity = F.normalize(chunk, { dim: 1 }).matmul(directions); // [c, m]
    const { values, indices } = similarity.topk(k); // [c, k]
    const labels = bankLabels.indexSelect(0, indices.flatten()).reshape(indices.shape); // [c, k]
    // relative to the nearest, which is first: no weight overflows
    const weights = values
      .sub(values.narrow(1, 0, 1))
      .div(temperature)
      .exp()
      .unsqueeze(-1); // [c, k, 1]
    return F.oneHot(labels, numClasses).float().mul(weights).sum(1).argmax(1); // [c]
  };
  const predicted: Tensor[] = [];
  for (const rows of rowsOf(features, chunkSize)) {
    predicted.push(await noGrad(() => votes(features.indexSelect(0, rows))).realize());
  }
  return cat(predicted).realize();
}

/**
 * Percent of the features that `knnPredict` classifies as their label.
 *
 * @param options as `knnPredict`, with `labels` i32 `[n]`
 *
 * @example
 * const accuracy = await knnAccuracy({ bank, bankLabels, features, labels, numClasses: 10 }); // k 200
 */
export async function knnAccuracy({ labels, ...options }: KnnOptions & { readonly labels: Tensor }): Promise<number> {
  const predicted = await knnPredict(options);
  return predicted.eq(labels).float().mul(100).mean().item();
}
