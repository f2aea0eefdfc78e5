/** Tensor's arithmetic: sums, products, order, rounding. */

import * as ops from "../ops";
import type { Tensor } from "../tensor";
import type { TensorLike } from "./core";
import { Gradients } from "./gradients";

export abstract class Arithmetic extends Gradients {
  /** `this + other`. @see torch.add */
  add(other: TensorLike): Tensor {
    return this.binary("add", ops.add, other);
  }

  /** `this - other`. @see torch.sub */
  sub(other: TensorLike): Tensor {
    return this.binary("sub", ops.sub, other);
  }

  /** `this * other`. @see torch.mul */
  mul(other: TensorLike): Tensor {
    return this.binary("mul", ops.mul, other);
  }

  /** `this / other`, as f32. @see torch.div */
  div(other: TensorLike): Tensor {
    return this.binary("div", ops.div, other);
  }

  /** `this ^ exponent`. @see torch.pow */
  pow(exponent: TensorLike): Tensor {
    return this.binary("pow", ops.pow, exponent);
  }

  /** `this - other * floor(this / other)`: the sign of `other`. @see torch.remainder */
  remainder(other: TensorLike): Tensor {
    return this.binary("remainder", ops.remainder, other);
  }

  /** `floor(this / other)`. @see torch.floor_divide */
  floorDivide(other: TensorLike): Tensor {
    return this.binary("floorDivide", ops.floorDivide, other);
  }

  /** The larger of each pair; NaN if one is. @see torch.maximum */
  maximum(other: TensorLike): Tensor {
    return this.binary("maximum", ops.maximum, other);
  }

  /** The smaller of each pair; NaN if one is. @see torch.minimum */
  minimum(other: TensorLike): Tensor {
    return this.binary("minimum", ops.minimum, other);
  }

  /** `this + weight * (end - this)`. @see torch.lerp */
  lerp(end: Tensor, weight: TensorLike): Tensor {
    return this.combine("lerp", [end, weight], ops.lerp);
  }

  /** Values cut off below `min` and above `max`; null leaves a side open. @see torch.clamp */
  clamp(min: TensorLike | null = null, max: TensorLike | null = null): Tensor {
    return this.combine("clamp", [min, max], ops.clamp);
  }

  /** `-this`. @see torch.neg */
  neg(): Tensor {
    return this.unary(ops.neg);
  }

  /** `|this|`. @see torch.abs */
  abs(): Tensor {
    return this.unary(ops.abs);
  }

  /** `this * this`. @see torch.square */
  square(): Tensor {
    return this.unary(ops.square);
  }

  /** `1 / this`. @see torch.reciprocal */
  reciprocal(): Tensor {
    return this.unary(ops.reciprocal);
  }

  /** -1, 0 or 1. @see torch.sign */
  sign(): Tensor {
    return this.unary(ops.sign);
  }

  /** The largest integer not above. @see torch.floor */
  floor(): Tensor {
    return this.unary(ops.floor);
  }

  /** The smallest integer not below. @see torch.ceil */
  ceil(): Tensor {
    return this.unary(ops.ceil);
  }

  /** The nearest integer; halves go to the even one. @see torch.round */
  round(): Tensor {
    return this.unary(ops.round);
  }

  /** The integer part. @see torch.trunc */
  trunc(): Tensor {
    return this.unary(ops.trunc);
  }
}
