/** Tensor's functions of one float: exponentials, roots, trigonometry, activations. */

import * as ops from "../ops";
import type { Tensor } from "../tensor";
import { Arithmetic } from "./arithmetic";
import { checkDim } from "./core";

export abstract class Functions extends Arithmetic {
  /** `e ^ this`. @see torch.exp */
  exp(): Tensor {
    return this.unary(ops.exp);
  }

  /** `e ^ this - 1`, exact near 0. @see torch.expm1 */
  expm1(): Tensor {
    return this.unary(ops.expm1);
  }

  /** Natural logarithm. @see torch.log */
  log(): Tensor {
    return this.unary(ops.log);
  }

  /** `log(1 + this)`, exact near 0. @see torch.log1p */
  log1p(): Tensor {
    return this.unary(ops.log1p);
  }

  /** Square root. @see torch.sqrt */
  sqrt(): Tensor {
    return this.unary(ops.sqrt);
  }

  /** `1 / sqrt(this)`. @see torch.rsqrt */
  rsqrt(): Tensor {
    return this.unary(ops.rsqrt);
  }

  /** Sine of radians. @see torch.sin */
  sin(): Tensor {
    return this.unary(ops.sin);
  }

  /** Cosine of radians. @see torch.cos */
  cos(): Tensor {
    return this.unary(ops.cos);
  }

  /** Hyperbolic tangent. @see torch.tanh */
  tanh(): Tensor {
    return this.unary(ops.tanh);
  }

  /** `1 / (1 + e ^ -this)`. @see torch.sigmoid */
  sigmoid(): Tensor {
    return this.unary(ops.sigmoid);
  }

  /** Error function. @see torch.erf */
  erf(): Tensor {
    return this.unary(ops.erf);
  }

  /** `max(this, 0)`. @see torch.relu */
  relu(): Tensor {
    return this.unary(ops.relu);
  }

  /** `exp(this) / sum(exp(this))` over `dim`. @see torch.softmax */
  softmax(dim: number): Tensor {
    checkDim("softmax", dim);
    return this.unary((x) => ops.softmax(x, dim));
  }

  /** `log(softmax(this))` over `dim`. @see torch.log_softmax */
  logSoftmax(dim: number): Tensor {
    checkDim("logSoftmax", dim);
    return this.unary((x) => ops.logSoftmax(x, dim));
  }
}
