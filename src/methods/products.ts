/** Tensor's products of matrices and vectors. */

import * as ops from "../ops";
import { checkOptionNames } from "../options";
import type { Tensor } from "../tensor";
import { Order } from "./order";

/** Factors of products that are added to something. */
export interface AddProductOptions {
  /** Factor of the tensor that is added to; 0 leaves it out, NaN and all. Default 1. */
  readonly beta?: number;
  /** Factor of the product. Default 1. */
  readonly alpha?: number;
}

const factorsOf = (op: string, options: AddProductOptions): AddProductOptions => {
  checkOptionNames(op, options, ["beta", "alpha"]);
  return options;
};

export abstract class Products extends Order {
  /**
   * Matrix product; batch dimensions broadcast, vectors are rows on the left and columns on the right.
   *
   * @shape `[..., m, k] @ [..., k, n] -> [..., m, n]`
   * @throws ShapeError if the inner dimensions differ
   * @see torch.matmul
   */
  matmul(other: Tensor): Tensor {
    return this.combineTensors("matmul", [other], ops.matmul);
  }

  /** Product of two matrices. @see torch.mm */
  mm(other: Tensor): Tensor {
    return this.combineTensors("mm", [other], ops.mm);
  }

  /** Products of two stacks of matrices, one by one. @shape `[b, m, k] @ [b, k, n] -> [b, m, n]` @see torch.bmm */
  bmm(other: Tensor): Tensor {
    return this.combineTensors("bmm", [other], ops.bmm);
  }

  /** Product of a matrix and a vector. @see torch.mv */
  mv(vector: Tensor): Tensor {
    return this.combineTensors("mv", [vector], ops.mv);
  }

  /** Product of two vectors, a scalar. @see torch.dot */
  dot(other: Tensor): Tensor {
    return this.combineTensors("dot", [other], ops.dot);
  }

  /** As `dot`: numbers here are real. @see torch.vdot */
  vdot(other: Tensor): Tensor {
    return this.combineTensors("vdot", [other], ops.dot);
  }

  /** Products summed over the last dimension of both. @shape `[..., k], [~, k] -> [..., ~]` @see torch.inner */
  inner(other: Tensor): Tensor {
    return this.combineTensors("inner", [other], ops.inner);
  }

  /** Every element of one vector times every element of the other. @shape `[m], [n] -> [m, n]` @see torch.outer */
  outer(other: Tensor): Tensor {
    return this.combineTensors("outer", [other], ops.outer);
  }

  /** `beta * this + alpha * mat1 @ mat2`; this broadcasts. @see torch.addmm */
  addmm(mat1: Tensor, mat2: Tensor, options: AddProductOptions = {}): Tensor {
    return this.combineTensors("addmm", [mat1, mat2], (x, a, b) => ops.addmm(x, a, b, factorsOf("addmm", options)));
  }

  /** `beta * this + alpha * mat @ vec`; this broadcasts. @see torch.addmv */
  addmv(mat: Tensor, vec: Tensor, options: AddProductOptions = {}): Tensor {
    return this.combineTensors("addmv", [mat, vec], (x, a, b) => ops.addmv(x, a, b, factorsOf("addmv", options)));
  }

  /** `beta * this + alpha * outer(vec1, vec2)`; this broadcasts. @see torch.addr */
  addr(vec1: Tensor, vec2: Tensor, options: AddProductOptions = {}): Tensor {
    return this.combineTensors("addr", [vec1, vec2], (x, a, b) => ops.addr(x, a, b, factorsOf("addr", options)));
  }

  /** `beta * this + alpha * batch1 @ batch2` for stacks of matrices; this broadcasts. @see torch.baddbmm */
  baddbmm(batch1: Tensor, batch2: Tensor, options: AddProductOptions = {}): Tensor {
    return this.combineTensors("baddbmm", [batch1, batch2], (x, a, b) =>
      ops.baddbmm(x, a, b, factorsOf("baddbmm", options)),
    );
  }

  /**
   * Cross products of 3-vectors along `dim`, by default the first dimension of size 3. The operands broadcast.
   *
   * @throws ShapeError if `dim` has another size
   * @see torch.cross
   */
  cross(other: Tensor, dim?: number): Tensor {
    return this.combineTensors("cross", [other], (a, b) => ops.cross(a, b, dim));
  }

  /** The Kronecker product: a block `this[i] * other` for each element of this. @see torch.kron */
  kron(other: Tensor): Tensor {
    return this.combineTensors("kron", [other], ops.kron);
  }

  /**
   * A square matrix, or a stack of them, to the power of `n`.
   *
   * @param n an integer of at least 0
   * @see torch.matrix_power (without inverses)
   */
  matrixPower(n: number): Tensor {
    return this.unary((x) => ops.matrixPower(x, n));
  }
}
