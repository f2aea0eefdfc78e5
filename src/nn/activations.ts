/** Activations as layers; see the functions of the same names in `F`. */

import { full } from "../creation";
import * as F from "../functional";
import { Parameter } from "../parameter";
import type { Tensor } from "../tensor";
import { checkSizes, Module } from "./module";
import { shown } from "./shown";

/** `max(x, 0)`. @see torch.nn.ReLU */
export class ReLU extends Module {
  forward(x: Tensor): Tensor {
    return F.relu(x);
  }
}

/** `min(max(x, 0), 6)`. @see torch.nn.ReLU6 */
export class ReLU6 extends Module {
  forward(x: Tensor): Tensor {
    return F.relu6(x);
  }
}

/** `x`, times `negativeSlope` (default 0.01) below 0. @see torch.nn.LeakyReLU */
export class LeakyReLU extends Module {
  constructor(readonly negativeSlope = 0.01) {
    super();
  }

  override extraRepr(): string {
    return shown({ negativeSlope: this.negativeSlope });
  }

  forward(x: Tensor): Tensor {
    return F.leakyRelu(x, this.negativeSlope);
  }
}

/** `x` above 0, else `alpha * (e ^ x - 1)`; `alpha` is 1 by default. @see torch.nn.ELU */
export class ELU extends Module {
  constructor(readonly alpha = 1) {
    super();
  }

  override extraRepr(): string {
    return shown({ alpha: this.alpha });
  }

  forward(x: Tensor): Tensor {
    return F.elu(x, this.alpha);
  }
}

/** `x` above 0, else `alpha * (e ^ (x / alpha) - 1)`; `alpha` is 1 by default. @see torch.nn.CELU */
export class CELU extends Module {
  constructor(readonly alpha = 1) {
    super();
  }

  override extraRepr(): string {
    return shown({ alpha: this.alpha });
  }

  forward(x: Tensor): Tensor {
    return F.celu(x, this.alpha);
  }
}

/**
 * `x`, times a weight below 0.
 *
 * @shape `[n, c, ...]`, same as input
 * @param numParameters 1 (the default), or one a channel
 * @param init what weights start at; default 0.25
 * @see torch.nn.PReLU
 */
export class PReLU extends Module {
  readonly weight: Parameter; // [numParameters]

  constructor(numParameters = 1, init = 0.25) {
    super();
    checkSizes("PReLU", { numParameters });
    this.weight = new Parameter(full([numParameters], init));
  }

  override extraRepr(): string {
    return shown({ numParameters: this.weight.size(0) });
  }

  forward(x: Tensor): Tensor {
    return F.prelu(x, this.weight);
  }
}

/** `x`, times a slope below 0: drawn between `lower` and `upper` in training, else their mean. @see torch.nn.RReLU */
export class RReLU extends Module {
  constructor(
    readonly lower = 1 / 8,
    readonly upper = 1 / 3,
  ) {
    super();
  }

  override extraRepr(): string {
    return shown({ lower: this.lower, upper: this.upper });
  }

  forward(x: Tensor): Tensor {
    return F.rrelu(x, this.lower, this.upper, { training: this.training });
  }
}

/** `x` above `threshold`, else `value`. @see torch.nn.Threshold */
export class Threshold extends Module {
  constructor(
    readonly threshold: number,
    readonly value: number,
  ) {
    super();
  }

  override extraRepr(): string {
    return shown({ threshold: this.threshold, value: this.value });
  }

  forward(x: Tensor): Tensor {
    return F.threshold(x, this.threshold, this.value);
  }
}

/** ELU with the constants of self-normalising networks. @see torch.nn.SELU */
export class SELU extends Module {
  forward(x: Tensor): Tensor {
    return F.selu(x);
  }
}

/** `x * Phi(x)`, exact or by tanh. @see torch.nn.GELU */
export class GELU extends Module {
  constructor(private readonly options: { readonly approximate?: "none" | "tanh" } = {}) {
    super();
  }

  override extraRepr(): string {
    return shown({ approximate: "none", ...this.options });
  }

  forward(x: Tensor): Tensor {
    return F.gelu(x, this.options);
  }
}

/** `x * sigmoid(x)`. @see torch.nn.SiLU */
export class SiLU extends Module {
  forward(x: Tensor): Tensor {
    return F.silu(x);
  }
}

/** `x * tanh(softplus(x))`. @see torch.nn.Mish */
export class Mish extends Module {
  forward(x: Tensor): Tensor {
    return F.mish(x);
  }
}

/** `1 / (1 + e ^ -x)`. @see torch.nn.Sigmoid */
export class Sigmoid extends Module {
  forward(x: Tensor): Tensor {
    return F.sigmoid(x);
  }
}

/** `log(sigmoid(x))`. @see torch.nn.LogSigmoid */
export class LogSigmoid extends Module {
  forward(x: Tensor): Tensor {
    return F.logsigmoid(x);
  }
}

/** Hyperbolic tangent. @see torch.nn.Tanh */
export class Tanh extends Module {
  forward(x: Tensor): Tensor {
    return F.tanh(x);
  }
}

/** `log(1 + e ^ (beta x)) / beta`, and `x` where `beta x` is above the threshold. @see torch.nn.Softplus */
export class Softplus extends Module {
  constructor(private readonly options: { readonly beta?: number; readonly threshold?: number } = {}) {
    super();
  }

  override extraRepr(): string {
    return shown({ beta: 1, threshold: 20, ...this.options });
  }

  forward(x: Tensor): Tensor {
    return F.softplus(x, this.options);
  }
}

/** `x / (1 + |x|)`. @see torch.nn.Softsign */
export class Softsign extends Module {
  forward(x: Tensor): Tensor {
    return F.softsign(x);
  }
}

/** `x` between `minVal` (default -1) and `maxVal` (default 1). @see torch.nn.Hardtanh */
export class Hardtanh extends Module {
  constructor(
    readonly minVal = -1,
    readonly maxVal = 1,
  ) {
    super();
  }

  override extraRepr(): string {
    return shown({ minVal: this.minVal, maxVal: this.maxVal });
  }

  forward(x: Tensor): Tensor {
    return F.hardtanh(x, this.minVal, this.maxVal);
  }
}

/** `relu6(x + 3) / 6`. @see torch.nn.Hardsigmoid */
export class Hardsigmoid extends Module {
  forward(x: Tensor): Tensor {
    return F.hardsigmoid(x);
  }
}

/** `x * relu6(x + 3) / 6`. @see torch.nn.Hardswish */
export class Hardswish extends Module {
  forward(x: Tensor): Tensor {
    return F.hardswish(x);
  }
}

/** `x` where it is farther than `lambd` (default 0.5) from 0, else 0. @see torch.nn.Hardshrink */
export class Hardshrink extends Module {
  constructor(readonly lambd = 0.5) {
    super();
  }

  override extraRepr(): string {
    return String(this.lambd);
  }

  forward(x: Tensor): Tensor {
    return F.hardshrink(x, this.lambd);
  }
}

/** `x` moved by `lambd` (default 0.5) towards 0, where it stops. @see torch.nn.Softshrink */
export class Softshrink extends Module {
  constructor(readonly lambd = 0.5) {
    super();
  }

  override extraRepr(): string {
    return String(this.lambd);
  }

  forward(x: Tensor): Tensor {
    return F.softshrink(x, this.lambd);
  }
}

/** `x - tanh(x)`. @see torch.nn.Tanhshrink */
export class Tanhshrink extends Module {
  forward(x: Tensor): Tensor {
    return F.tanhshrink(x);
  }
}

/** The first half along `dim` (default -1), times the sigmoid of the second. @see torch.nn.GLU */
export class GLU extends Module {
  constructor(readonly dim = -1) {
    super();
  }

  override extraRepr(): string {
    return shown({ dim: this.dim });
  }

  forward(x: Tensor): Tensor {
    return F.glu(x, this.dim);
  }
}

/** `softmax(-x)` along `dim`. @see torch.nn.Softmin */
export class Softmin extends Module {
  constructor(readonly dim: number) {
    super();
  }

  override extraRepr(): string {
    return shown({ dim: this.dim });
  }

  forward(x: Tensor): Tensor {
    return F.softmin(x, this.dim);
  }
}

/** `e ^ x / sum(e ^ x)` along `dim`. @see torch.nn.Softmax */
export class Softmax extends Module {
  constructor(readonly dim: number) {
    super();
  }

  override extraRepr(): string {
    return shown({ dim: this.dim });
  }

  forward(x: Tensor): Tensor {
    return F.softmax(x, this.dim);
  }
}

/** `log(softmax(x))` along `dim`. @see torch.nn.LogSoftmax */
export class LogSoftmax extends Module {
  constructor(readonly dim: number) {
    super();
  }

  override extraRepr(): string {
    return shown({ dim: this.dim });
  }

  forward(x: Tensor): Tensor {
    return F.logSoftmax(x, this.dim);
  }
}
