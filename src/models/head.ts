/** What encoders end with. */

import { type Layer, Linear, ReLU, Sequential } from "../nn";

/** One linear layer, or MoCo v2's two with a ReLU between them. */
export type HeadKind = "linear" | "mlp";

/**
 * @shape `[n, features] -> [n, outputs]`
 * @see Chen et al. 2020 (arXiv:2003.04297), section 2
 */
export const head = (kind: HeadKind, features: number, outputs: number): Layer =>
  kind === "mlp"
    ? new Sequential(new Linear(features, features), new ReLU(), new Linear(features, outputs))
    : new Linear(features, outputs);
