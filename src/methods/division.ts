/** Tensor's rounding, and division that rounds. */

import type { Node } from "../graph/node";
import * as ops from "../ops";
import { checkOptionNames } from "../options";
import type { Tensor } from "../tensor";
import { Arithmetic } from "./arithmetic";
import type { TensorLike } from "./core";

/** Options of `div`. */
export interface DivOptions {
  /** `"trunc"` towards zero, `"floor"` down, null (the default) not at all. */
  readonly roundingMode?: ops.RoundingMode;
}

/** Options of `round`. */
export interface RoundOptions {
  /** Digits behind the point; negative ones count before it. Default 0. */
  readonly decimals?: number;
}

/** The builder of a quotient that options choose. */
export function dividing(options?: DivOptions): (a: ops.Operand, b: ops.Operand) => Node {
  checkOptionNames("div", options, ["roundingMode"]);
  const { roundingMode = null } = options ?? {};
  return (a, b) => ops.divide(a, b, roundingMode);
}

/** The builder that rounds to as many decimals as options say. */
export function rounding(options?: RoundOptions): (x: Node) => Node {
  checkOptionNames("round", options, ["decimals"]);
  const { decimals = 0 } = options ?? {};
  return (x) => ops.roundDecimals(x, decimals);
}

export abstract class Division extends Arithmetic {
  /**
   * `this / other`. Of integers it is f32, unless `roundingMode` keeps it whole.
   *
   * @throws ValueError if integers are rounded and the host knows that a divisor is 0
   * @see torch.div
   *
   * @example
   * x.div(y, { roundingMode: "floor" });
   */
  div(other: TensorLike, options?: DivOptions): Tensor {
    return this.binary("div", dividing(options), other);
  }

  /** `this / other`. @see torch.true_divide */
  trueDivide(other: TensorLike): Tensor {
    return this.binary("trueDivide", ops.div, other);
  }

  /**
   * `floor(this / other)`. Of an integer by 0 all bits are set.
   *
   * @throws ValueError if the host knows that an integer is divided by 0
   * @see torch.floor_divide
   */
  floorDivide(other: TensorLike): Tensor {
    return this.binary("floorDivide", ops.floorDivide, other);
  }

  /**
   * `this - other * floor(this / other)`: the sign of `other`. Of an integer by 0 it is this.
   *
   * @throws ValueError if the host knows that an integer is divided by 0
   * @see torch.remainder
   */
  remainder(other: TensorLike): Tensor {
    return this.binary("remainder", ops.remainder, other);
  }

  /**
   * `this - other * trunc(this / other)`: the sign of this. Of an integer by 0 it is this.
   *
   * @throws ValueError if the host knows that an integer is divided by 0
   * @see torch.fmod
   */
  fmod(other: TensorLike): Tensor {
    return this.binary("fmod", ops.fmod, other);
  }

  /** The largest integer not above. @see torch.floor */
  floor(): Tensor {
    return this.unary(ops.floor);
  }

  /** The smallest integer not below. @see torch.ceil */
  ceil(): Tensor {
    return this.unary(ops.ceil);
  }

  /** The nearest integer, or the nearest number of so many decimals; halves go to the even one. @see torch.round */
  round(options?: RoundOptions): Tensor {
    return this.unary(rounding(options));
  }

  /** The integer part. @see torch.trunc */
  trunc(): Tensor {
    return this.unary(ops.trunc);
  }

  /** What `trunc` takes away, with the sign of this. @see torch.frac */
  frac(): Tensor {
    return this.unary(ops.frac);
  }
}
