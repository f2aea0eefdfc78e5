/** Running statistics of averaged models, which no training has moved. */

import { DTypeError } from "../errors";
import { noGrad } from "../gradient";
import { BatchNorm1d, BatchNorm2d } from "../nn/batchNorm";
import type { Module } from "../nn/module";
import { describe } from "../options";
import { realize, Tensor } from "../tensor";

/** A batch: the input, or a list that starts with it. */
type Batch = Tensor | readonly [Tensor, ...unknown[]];

/**
 * Gives all BatchNorms of a model the mean and variance over batches, each batch counting the same. Parameters stay as they
 * are. Without running statistics in the model, nothing is run.
 *
 * @param loader batches; of a list, the first element is the model's input
 * @param model often an AveragedModel; its mode is the same afterwards
 * @see torch.optim.swa_utils.update_bn
 *
 * @example
 * await updateBn(batches, averaged);
 * averaged.eval();
 */
export async function updateBn(
  loader: Iterable<Batch> | AsyncIterable<Batch>,
  model: Module & { forward(x: Tensor): unknown },
): Promise<void> {
  const given: unknown = loader; // callers without types may pass anything
  const isLoop =
    typeof given === "object" && given !== null && (Symbol.iterator in given || Symbol.asyncIterator in given);
  if (!isLoop) {
    throw new DTypeError(
      `updateBn: batches come one by one, got ${describe(given)}. Pass a list, or what can be looped over.`,
    );
  }
  const norms = [...model.modules()].filter(
    (module) => (module instanceof BatchNorm1d || module instanceof BatchNorm2d) && module.runningMean !== null,
  ) as (BatchNorm1d | BatchNorm2d)[];
  if (norms.length === 0) return;
  const momenta = norms.map(({ momentum }) => momentum);
  const modes = [...model.modules()].map((module) => ({ module, training: module.training }));
  model.train();
  for (const norm of norms) {
    norm.resetRunningStats();
    norm.momentum = null; // the mean of all batches
  }
  try {
    for await (const batch of loader) {
      noGrad(() => model.forward(batch instanceof Tensor ? batch : batch[0]));
      await realize(...norms.flatMap(({ runningMean, runningVar }) => [runningMean!, runningVar!]));
    }
  } finally {
    norms.forEach((norm, index) => (norm.momentum = momenta[index]!));
    for (const { module, training } of modes) module.training = training;
  }
}
