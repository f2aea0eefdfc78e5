/** Tensor's arithmetic: sums, products, order, signs. */

import type { Node } from "../graph/node";
import * as ops from "../ops";
import { checkOptionNames } from "../options";
import type { Tensor } from "../tensor";
import { naming, ValueError } from "../errors";
import { checkTensors, operandsOf, type TensorLike } from "./core";
import { Gradients } from "./gradients";

/** Options of `add` and `sub`. */
export interface AlphaOptions {
  /** What `other` is multiplied by; default 1. */
  readonly alpha?: number;
}

/** Options of `addcmul` and `addcdiv`. */
export interface ValueOptions {
  /** What the product or quotient is multiplied by; default 1. */
  readonly value?: number;
}

type Binary = (a: ops.Operand, b: ops.Operand) => Node;

/** The builder of a sum, or of a difference, that options choose. */
export function summing(op: "add" | "sub", options?: AlphaOptions): Binary {
  checkOptionNames(op, options, ["alpha"]);
  const { alpha = 1 } = options ?? {};
  if (alpha === 1) return ops[op];
  return op === "add" ? (a, b) => ops.addScaled(a, b, alpha) : (a, b) => ops.subScaled(a, b, alpha);
}

/** The factor that options give to a product or quotient. */
export function valueOf(op: string, options?: ValueOptions): number {
  checkOptionNames(op, options, ["value"]);
  return options?.value ?? 1;
}

export abstract class Arithmetic extends Gradients {
  /**
   * `this + alpha * other`; bools are or-ed.
   *
   * @throws ValueError if `alpha` is a fraction and both are integers
   * @see torch.add
   */
  add(other: TensorLike, options?: AlphaOptions): Tensor {
    return this.binary("add", summing("add", options), other);
  }

  /**
   * `this - alpha * other`.
   *
   * @throws ValueError if `alpha` is a fraction and both are integers
   * @see torch.sub
   */
  sub(other: TensorLike, options?: AlphaOptions): Tensor {
    return this.binary("sub", summing("sub", options), other);
  }

  /** `this * other`; bools are and-ed. @see torch.mul */
  mul(other: TensorLike): Tensor {
    return this.binary("mul", ops.mul, other);
  }

  /**
   * `this ^ exponent`; for a number to the power of a tensor see the function `pow`.
   *
   * @throws ValueError if an integer gets a negative number as its exponent
   * @see torch.pow
   */
  pow(exponent: TensorLike): Tensor {
    return this.binary("pow", ops.pow, exponent);
  }

  /** The larger of each pair; NaN if one is. @see torch.maximum */
  maximum(other: TensorLike): Tensor {
    return this.binary("maximum", ops.maximum, other);
  }

  /** The smaller of each pair; NaN if one is. @see torch.minimum */
  minimum(other: TensorLike): Tensor {
    return this.binary("minimum", ops.minimum, other);
  }

  /** The larger of each pair; of a number and NaN the number. @see torch.fmax */
  fmax(other: TensorLike): Tensor {
    return this.binary("fmax", ops.fmax, other);
  }

  /** The smaller of each pair; of a number and NaN the number. @see torch.fmin */
  fmin(other: TensorLike): Tensor {
    return this.binary("fmin", ops.fmin, other);
  }

  /** `sqrt(this^2 + other^2)`, without overflow. @see torch.hypot */
  hypot(other: TensorLike): Tensor {
    return this.binary("hypot", ops.hypot, other);
  }

  /** The magnitude of this with the sign of `other`. @see torch.copysign */
  copysign(other: TensorLike): Tensor {
    return this.binary("copysign", ops.copysign, other);
  }

  /** `this + weight * (end - this)`, of floats. @see torch.lerp */
  lerp(end: Tensor, weight: TensorLike): Tensor {
    checkTensors("lerp", end);
    return this.combine("lerp", [end, weight], ops.lerp);
  }

  /** `this + value * tensor1 * tensor2`. @see torch.addcmul */
  addcmul(tensor1: Tensor, tensor2: Tensor, options?: ValueOptions): Tensor {
    const value = valueOf("addcmul", options);
    return this.combineTensors("addcmul", [tensor1, tensor2], (x, a, b) => ops.addcmul(x, a, b, value));
  }

  /** `this + value * tensor1 / tensor2`. @throws DTypeError if both are integers. @see torch.addcdiv */
  addcdiv(tensor1: Tensor, tensor2: Tensor, options?: ValueOptions): Tensor {
    const value = valueOf("addcdiv", options);
    return this.combineTensors("addcdiv", [tensor1, tensor2], (x, a, b) => ops.addcdiv(x, a, b, value));
  }

  /**
   * Values cut off below `min` and above `max`; null leaves a side open.
   *
   * @throws ValueError if both are open
   * @see torch.clamp
   */
  clamp(min: TensorLike | null = null, max: TensorLike | null = null): Tensor {
    checkBounds(min, max);
    const [x, low, high] = operandsOf("clamp", [this, min, max]);
    return this.wrap(naming("clamp", () => ops.clamp(x, low, high)));
  }

  /** As `clamp`. @see torch.clip */
  clip(min: TensorLike | null = null, max: TensorLike | null = null): Tensor {
    return this.clamp(min, max);
  }

  /**
   * This where the condition holds, `other` elsewhere; all three broadcast.
   *
   * @param condition bool, or u8
   * @see torch.Tensor.where
   *
   * @example
   * x.where(x.isfinite(), 0);
   */
  where(condition: Tensor, other: TensorLike): Tensor {
    checkTensors("where", condition);
    return this.combine("where", [condition, other], (x, c, y) => ops.where(c, x, y));
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

  /** This, if it is no bool. @throws DTypeError if it is. @see torch.positive */
  positive(): Tensor {
    return this.unary(ops.positive);
  }

  /** -1, 0 or 1. @see torch.sign */
  sign(): Tensor {
    return this.unary(ops.sign);
  }

  /** -1, 0 or 1: `sign`, as there are no complex numbers. @see torch.sgn */
  sgn(): Tensor {
    return this.unary(ops.sign);
  }

  /** Whether the sign is minus, which 0 may have too. @see torch.signbit */
  signbit(): Tensor {
    return this.unary(ops.signbit);
  }
}

/** Without a bound there is nothing to do, and PyTorch says so. */
export function checkBounds(min: unknown, max: unknown): void {
  if (min !== null || max !== null) return;
  throw new ValueError("clamp: one of min and max must be given, got none. Pass clamp(min), or clamp(null, max).");
}
