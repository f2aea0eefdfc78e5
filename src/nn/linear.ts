/** Linear. */

import * as F from "../functional";
import { checkOptionNames } from "../options";
import type { Parameter } from "../parameter";
import type { Tensor } from "../tensor";
import { initial } from "./initial";
import { checkSizes, Module } from "./module";
import { shown } from "./shown";

/** Options of `Linear`. */
export interface LinearOptions {
  /** Default true. */
  readonly bias?: boolean;
}

/**
 * Affine map `y = x @ weight.T + bias`.
 *
 * @shape `[..., inFeatures] -> [..., outFeatures]`
 * @throws ShapeError if the last dimension of `x` is not `inFeatures`
 * @see torch.nn.Linear (same parameter names, shapes and initialisation)
 *
 * @example
 * const y = new nn.Linear(512, 128).forward(x);
 */
export class Linear extends Module {
  readonly weight: Parameter; // [outFeatures, inFeatures]
  readonly bias: Parameter | null; // [outFeatures]

  constructor(
    readonly inFeatures: number,
    readonly outFeatures: number,
    options: LinearOptions = {},
  ) {
    super();
    checkOptionNames("Linear", options, ["bias"]);
    const { bias = true } = options;
    checkSizes("Linear", { inFeatures, outFeatures });
    this.weight = initial([outFeatures, inFeatures], inFeatures);
    this.bias = bias ? initial([outFeatures], inFeatures) : null;
  }

  override extraRepr(): string {
    return shown({ inFeatures: this.inFeatures, outFeatures: this.outFeatures, bias: this.bias !== null });
  }

  forward(x: Tensor): Tensor {
    return F.linear(x, this.weight, this.bias);
  }
}
