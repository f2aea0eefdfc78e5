/** Tensor's products of matrices and vectors. */

import * as ops from "../ops";
import type { Tensor } from "../tensor";
import { Order } from "./order";

export abstract class Products extends Order {
  /**
   * Matrix product; batch dimensions broadcast, vectors are rows on the left and columns on the right.
   *
   * @shape `[..., m, k] @ [..., k, n] -> [..., m, n]`
   * @throws ShapeError if the inner dimensions differ
   * @see torch.matmul
   */
  matmul(other: Tensor): Tensor {
    return this.combine("matmul", [other], ops.matmul);
  }
}
