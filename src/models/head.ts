/** What encoders end with. */

import { type Layer, Linear, ReLU, Sequential } from "../nn";

/** A head of one's own. */
export type HeadFactory = (features: number, outputs: number) => Layer;

/** One linear layer, MoCo v2's two with a ReLU between them, or what a function makes. */
export type HeadKind = "linear" | "mlp" | HeadFactory;

/**
 * @shape `[n, features] -> [n, outputs]`
 * @see Chen et al. 2020 (arXiv:2003.04297), section 2
 */
export const head = (kind: HeadKind, features: number, outputs: number): Layer => {
  if (typeof kind === "function") return kind(features, outputs);
  return kind === "mlp"
    ? new Sequential(new Linear(features, features), new ReLU(), new Linear(features, outputs))
    : new Linear(features, outputs);
};
