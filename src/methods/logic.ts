/** Tensor's comparisons, logic and bits. */

import type { Node } from "../graph/node";
import { naming } from "../errors";
import * as ops from "../ops";
import type { Closeness } from "../ops";
import { checkOptionNames } from "../options";
import type { Tensor } from "../tensor";
import type { TensorLike } from "./core";
import { Functions } from "./math";

/** The builder that tells what is close, as options say. */
export function closing(op: string, options?: Closeness): (a: ops.Operand, b: ops.Operand) => Node {
  checkOptionNames(op, options, ["rtol", "atol", "equalNan"]);
  return (a, b) => ops.isclose(a, b, options);
}

export abstract class Logic extends Functions {
  // --- comparison and logic; all give bool ---------------------------------------------------------------------------

  /** `this == other`. @see torch.eq */
  eq(other: TensorLike): Tensor {
    return this.binary("eq", ops.eq, other);
  }

  /** `this != other`. @see torch.ne */
  ne(other: TensorLike): Tensor {
    return this.binary("ne", ops.ne, other);
  }

  /** `this < other`. @see torch.lt */
  lt(other: TensorLike): Tensor {
    return this.binary("lt", ops.lt, other);
  }

  /** `this <= other`. @see torch.le */
  le(other: TensorLike): Tensor {
    return this.binary("le", ops.le, other);
  }

  /** `this > other`. @see torch.gt */
  gt(other: TensorLike): Tensor {
    return this.binary("gt", ops.gt, other);
  }

  /** `this >= other`. @see torch.ge */
  ge(other: TensorLike): Tensor {
    return this.binary("ge", ops.ge, other);
  }

  /** Whether this and `other` are close; see the options. @see torch.isclose */
  isclose(other: TensorLike, options?: Closeness): Tensor {
    return this.binary("isclose", closing("isclose", options), other);
  }

  /**
   * Whether all elements of this and `other` are close.
   *
   * @throws StaleTensorError as `data`
   * @see torch.allclose
   */
  async allclose(other: TensorLike, options?: Closeness): Promise<boolean> {
    const close = this.binary("allclose", (a, b) => ops.all(closing("allclose", options)(a, b)), other);
    return (await close.item()) === 1;
  }

  /**
   * Numbers in place of NaN and the infinities.
   *
   * @param nan default 0
   * @param posinf, neginf default: the largest and the smallest number of the dtype
   * @see torch.nan_to_num
   */
  nanToNum(nan = 0, posinf: number | null = null, neginf: number | null = null): Tensor {
    return naming("nanToNum", () => this.unary((x) => ops.nanToNum(x, nan, posinf, neginf)));
  }

  /** Whether each element is NaN. @see torch.isnan */
  isnan(): Tensor {
    return this.unary(ops.isnan);
  }

  /** Whether each element is infinite. @see torch.isinf */
  isinf(): Tensor {
    return this.unary(ops.isinf);
  }

  /** Whether each element is neither infinite nor NaN. @see torch.isfinite */
  isfinite(): Tensor {
    return this.unary(ops.isfinite);
  }

  /** Whether each element is 0. @see torch.logical_not */
  logicalNot(): Tensor {
    return this.unary(ops.logicalNot);
  }

  /** Whether both are not 0. @see torch.logical_and */
  logicalAnd(other: TensorLike): Tensor {
    return this.binary("logicalAnd", ops.logicalAnd, other);
  }

  /** Whether one is not 0. @see torch.logical_or */
  logicalOr(other: TensorLike): Tensor {
    return this.binary("logicalOr", ops.logicalOr, other);
  }

  /** Whether exactly one is not 0. @see torch.logical_xor */
  logicalXor(other: TensorLike): Tensor {
    return this.binary("logicalXor", ops.logicalXor, other);
  }

  // --- bits of integers and bool -------------------------------------------------------------------------------------

  /** `~this`. @see torch.bitwise_not */
  bitwiseNot(): Tensor {
    return this.unary(ops.bitwiseNot);
  }

  /** `this & other`. @see torch.bitwise_and */
  bitwiseAnd(other: TensorLike): Tensor {
    return this.binary("bitwiseAnd", ops.bitwiseAnd, other);
  }

  /** `this | other`. @see torch.bitwise_or */
  bitwiseOr(other: TensorLike): Tensor {
    return this.binary("bitwiseOr", ops.bitwiseOr, other);
  }

  /** `this ^ other`, exclusive or. @see torch.bitwise_xor */
  bitwiseXor(other: TensorLike): Tensor {
    return this.binary("bitwiseXor", ops.bitwiseXor, other);
  }

  /** `this << other`. @see torch.bitwise_left_shift */
  bitwiseLeftShift(other: TensorLike): Tensor {
    return this.binary("bitwiseLeftShift", ops.bitwiseLeftShift, other);
  }

  /** `this >> other`; keeps the sign of i32. @see torch.bitwise_right_shift */
  bitwiseRightShift(other: TensorLike): Tensor {
    return this.binary("bitwiseRightShift", ops.bitwiseRightShift, other);
  }

  /** The upper 32 bits of the 64-bit product of two u32: an exact `floor(this * other / 2^32)`. */
  mulHigh(other: TensorLike): Tensor {
    return this.binary("mulHigh", ops.mulHigh, other);
  }
}
