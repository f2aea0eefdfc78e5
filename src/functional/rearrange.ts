/** What `torch.nn.functional` has to move and mark elements: padding, one-hot rows. */

import * as ops from "../ops";
import type { Tensor } from "../tensor";
import { unary } from "./unary";

/**
 * 1 at the index, 0 elsewhere, in a new last dimension; i32.
 *
 * @throws DTypeError if `index` holds no integers
 * @see torch.nn.functional.one_hot
 */
export const oneHot = (index: Tensor, numClasses: number): Tensor =>
  unary(index, (node) => ops.oneHot(node, numClasses));

/**
 * `value` around a tensor; negative padding cuts.
 *
 * @param padding last dimension first: `[left, right, top, bottom]`
 * @see torch.nn.functional.pad
 */
export const pad = (x: Tensor, padding: readonly number[], { value = 0 }: { value?: number } = {}): Tensor =>
  unary(x, (node) => ops.pad(node, padding, value));
