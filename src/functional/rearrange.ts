/** What `torch.nn.functional` has to move and mark elements: padding, one-hot rows. */

import * as ops from "../ops";
import { checkOptionNames } from "../options";
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

/** Options of `pad`. */
export interface PadOptions {
  /** What lies around: "constant" (default), the tensor mirrored at its edge ("reflect"), the edge, or the other end. */
  readonly mode?: ops.PadMode;
  /** The constant; default 0. */
  readonly value?: number;
}

/**
 * Elements around a tensor; negative padding cuts.
 *
 * @param padding last dimension first: `[left, right, top, bottom]`
 * @throws ShapeError if there is less to mirror or to repeat than is asked for
 * @see torch.nn.functional.pad
 */
export function pad(x: Tensor, padding: readonly number[], options: PadOptions = {}): Tensor {
  checkOptionNames("pad", options, ["mode", "value"]);
  return unary(x, (node) => ops.pad(node, padding, options.value, options.mode));
}
