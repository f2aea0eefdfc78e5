/** Functions of two tensors that are not pointwise, as PyTorch has them beside its methods: places in sorted ones, distances. */

import { ValueError } from "./errors";
import * as ops from "./ops";
import { checkOptionNames } from "./options";
import { build, buildWithNone, checkOptionalTensors, checkTensors, type Tensor } from "./tensor";

/** Options of `searchsorted`. */
export interface SearchOptions {
  /** Behind equals, not before them; default false. */
  readonly right?: boolean;
  /** PyTorch's other word for it. */
  readonly side?: "left" | "right";
  /** What sorts each row of a sequence that is not sorted: from `argsort`. */
  readonly sorter?: Tensor;
}

/**
 * Where each value would have to be inserted to keep a sequence sorted, along the last dimension. i32.
 *
 * @param sortedSequence `[n]`, or `[..., n]` with a row for each row of values
 * @param values `[...]`, or `[..., m]`; or a number
 * @throws ShapeError if sizes before the last differ
 * @see torch.searchsorted
 *
 * @example
 * const bin = searchsorted(tensor([0, 10, 20]), tensor([5, 10, 25])); // [1, 1, 3]
 */
export function searchsorted(sortedSequence: Tensor, values: Tensor | number, options: SearchOptions = {}): Tensor {
  const { right, sorter = null } = searchOptions(options);
  checkTensors("searchsorted", sortedSequence);
  checkOptionalTensors("searchsorted", sorter);
  if (typeof values !== "number") checkTensors("searchsorted", values);
  return buildWithNone("searchsorted", [sortedSequence, values, sorter], (sequence, sought, order) => {
    const sorted = order ? ops.gather(sequence, -1, order) : sequence;
    const numbers = typeof sought === "number" ? ops.scalar(sought, sorted.dtype) : sought;
    return ops.searchsorted(sorted, numbers, right);
  });
}

function searchOptions(options: SearchOptions): Pick<SearchOptions, "right" | "sorter"> {
  checkOptionNames("searchsorted", options, ["right", "side", "sorter"]);
  const { right, side = right ? "right" : "left", sorter } = options;
  const isSide = ["left", "right"].includes(side); // callers without types may pass anything
  if (isSide && !(side === "left" && right)) return { right: side === "right", ...(sorter && { sorter }) };
  throw new ValueError(
    `searchsorted: side must be "left" or "right", and agree with right, got ${JSON.stringify(side)} and ${right}. Give one of them.`,
  );
}

/** The tensor itself, which it must be. */
function checked(op: string, input: Tensor): Tensor {
  checkTensors(op, input);
  return input;
}

/** As `input.bucketize(boundaries, options)`. @see torch.bucketize */
export const bucketize = (input: Tensor, boundaries: Tensor, options?: { right?: boolean }): Tensor =>
  checked("bucketize", input).bucketize(boundaries, options);

/**
 * Distances between all rows of one list of vectors and all of another.
 *
 * @shape `[..., p, m], [..., r, m] -> [..., p, r]`
 * @param p of the norm; default 2. Where two rows are equal, the gradient is 0
 * @throws ShapeError if the sizes do not fit
 * @see torch.cdist
 */
export function cdist(x1: Tensor, x2: Tensor, p = 2): Tensor {
  checkTensors("cdist", x1, x2);
  return build("cdist", [x1, x2], (a, b) => ops.cdist(a, b, p));
}

/** As `input.dist(other, p)`: the norm of the difference. @see torch.dist */
export const dist = (input: Tensor, other: Tensor, p = 2): Tensor => checked("dist", input).dist(other, p);
