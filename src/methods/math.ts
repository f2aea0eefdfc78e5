/** Tensor's functions of one float: exponentials, roots, trigonometry, activations; and of two that are related. */

import * as ops from "../ops";
import { naming } from "../errors";
import type { Tensor } from "../tensor";
import { checkDim, type TensorLike } from "./core";
import { Division } from "./division";

export abstract class Functions extends Division {
  // --- exponentials, logarithms, roots -------------------------------------------------------------------------------

  /** `e ^ this`. @see torch.exp */
  exp(): Tensor {
    return this.unary(ops.exp);
  }

  /** `2 ^ this`. @see torch.exp2 */
  exp2(): Tensor {
    return this.unary(ops.exp2);
  }

  /** `e ^ this - 1`, exact near 0. @see torch.expm1 */
  expm1(): Tensor {
    return this.unary(ops.expm1);
  }

  /** Natural logarithm. @see torch.log */
  log(): Tensor {
    return this.unary(ops.log);
  }

  /** Logarithm of base 2. @see torch.log2 */
  log2(): Tensor {
    return this.unary(ops.log2);
  }

  /** Logarithm of base 10. @see torch.log10 */
  log10(): Tensor {
    return this.unary(ops.log10);
  }

  /** `log(1 + this)`, exact near 0. @see torch.log1p */
  log1p(): Tensor {
    return this.unary(ops.log1p);
  }

  /** `log(e ^ this + e ^ other)`, without overflow. @see torch.logaddexp */
  logaddexp(other: TensorLike): Tensor {
    return this.binary("logaddexp", ops.logaddexp, other);
  }

  /** `log2(2 ^ this + 2 ^ other)`, without overflow. @see torch.logaddexp2 */
  logaddexp2(other: TensorLike): Tensor {
    return this.binary("logaddexp2", ops.logaddexp2, other);
  }

  /** `this * log(other)`, and 0 where this is 0. @see torch.xlogy */
  xlogy(other: TensorLike): Tensor {
    return this.binary("xlogy", ops.xlogy, other);
  }

  /** `this * 2 ^ other`. @see torch.ldexp */
  ldexp(other: TensorLike): Tensor {
    return this.binary("ldexp", ops.ldexp, other);
  }

  /** Square root. @see torch.sqrt */
  sqrt(): Tensor {
    return this.unary(ops.sqrt);
  }

  /** `1 / sqrt(this)`. @see torch.rsqrt */
  rsqrt(): Tensor {
    return this.unary(ops.rsqrt);
  }

  // --- trigonometry --------------------------------------------------------------------------------------------------

  /** Sine of radians. @see torch.sin */
  sin(): Tensor {
    return this.unary(ops.sin);
  }

  /** Cosine of radians. @see torch.cos */
  cos(): Tensor {
    return this.unary(ops.cos);
  }

  /** Tangent of radians. @see torch.tan */
  tan(): Tensor {
    return this.unary(ops.tan);
  }

  /** The angle in `[-pi / 2, pi / 2]` of a sine; NaN outside of `[-1, 1]`. @see torch.asin */
  asin(): Tensor {
    return this.unary(ops.asin);
  }

  /** The angle in `[0, pi]` of a cosine; NaN outside of `[-1, 1]`. @see torch.acos */
  acos(): Tensor {
    return this.unary(ops.acos);
  }

  /** The angle in `[-pi / 2, pi / 2]` of a tangent. @see torch.atan */
  atan(): Tensor {
    return this.unary(ops.atan);
  }

  /** The angle of the point `(other, this)`, in `[-pi, pi]`. @see torch.atan2 */
  atan2(other: TensorLike): Tensor {
    return this.binary("atan2", ops.atan2, other);
  }

  /** Hyperbolic sine. @see torch.sinh */
  sinh(): Tensor {
    return this.unary(ops.sinh);
  }

  /** Hyperbolic cosine. @see torch.cosh */
  cosh(): Tensor {
    return this.unary(ops.cosh);
  }

  /** Hyperbolic tangent. @see torch.tanh */
  tanh(): Tensor {
    return this.unary(ops.tanh);
  }

  /** Inverse hyperbolic sine. @see torch.asinh */
  asinh(): Tensor {
    return this.unary(ops.asinh);
  }

  /** Inverse hyperbolic cosine; NaN below 1. @see torch.acosh */
  acosh(): Tensor {
    return this.unary(ops.acosh);
  }

  /** Inverse hyperbolic tangent; NaN outside of `[-1, 1]`. @see torch.atanh */
  atanh(): Tensor {
    return this.unary(ops.atanh);
  }

  /** `sin(pi x) / (pi x)`, and 1 at 0. @see torch.sinc */
  sinc(): Tensor {
    return this.unary(ops.sinc);
  }

  /** Degrees as radians. @see torch.deg2rad */
  deg2rad(): Tensor {
    return this.unary(ops.deg2rad);
  }

  /** Radians as degrees. @see torch.rad2deg */
  rad2deg(): Tensor {
    return this.unary(ops.rad2deg);
  }

  // --- error function, activations -----------------------------------------------------------------------------------

  /** Error function. @see torch.erf */
  erf(): Tensor {
    return this.unary(ops.erf);
  }

  /** `1 - erf(this)`, exact for large values. @see torch.erfc */
  erfc(): Tensor {
    return this.unary(ops.erfc);
  }

  /** Inverse error function; NaN outside of `[-1, 1]`. @see torch.erfinv */
  erfinv(): Tensor {
    return this.unary(ops.erfinv);
  }

  /** `1 / (1 + e ^ -this)`. @see torch.sigmoid */
  sigmoid(): Tensor {
    return this.unary(ops.sigmoid);
  }

  /**
   * `log(this / (1 - this))`, the inverse of `sigmoid`.
   *
   * @param eps if given, this is cut to `[eps, 1 - eps]` first, and gets no gradient outside
   * @see torch.logit
   */
  logit(eps: number | null = null): Tensor {
    return this.unary((x) => ops.logit(x, eps));
  }

  /** `max(this, 0)`. @see torch.relu */
  relu(): Tensor {
    return this.unary(ops.relu);
  }

  /** `exp(this) / sum(exp(this))` over `dim`. @see torch.softmax */
  softmax(dim: number): Tensor {
    checkDim("softmax", dim);
    return naming("softmax", () => this.unary((x) => ops.softmax(ops.checkFloat("softmax", x), dim)));
  }

  /** `log(softmax(this))` over `dim`. @see torch.log_softmax */
  logSoftmax(dim: number): Tensor {
    checkDim("logSoftmax", dim);
    return naming("logSoftmax", () => this.unary((x) => ops.logSoftmax(ops.checkFloat("logSoftmax", x), dim)));
  }
}
