/** Tensor's order: sorting, the k largest, medians and quantiles, the different values and how often they are there. */

import { DTypeError, naming, ShapeError, ValueError } from "../errors";
import { isInteger } from "../graph/dtype";
import { sameShape, showShape } from "../graph/shape";
import * as ops from "../ops";
import { checkNumber, checkOptionNames, describe } from "../options";
import type { Tensor } from "../tensor";
import { checkTensors, type KeepDim, keepDimOf, read, TensorCore, type ValuesAndIndices } from "./core";
import { Writing } from "./writing";

/** Options of `topk`. */
export interface TopkOptions {
  /** Default -1. */
  readonly dim?: number;
  /** Default true; false for the smallest. */
  readonly largest?: boolean;
  /** They always come in order. */
  readonly sorted?: boolean;
}

/** Options of `sort` and `argsort`. */
export interface SortOptions {
  /** Default -1. */
  readonly dim?: number;
  /** Largest first; default false. */
  readonly descending?: boolean;
  /** It always is: equals keep their order. */
  readonly stable?: boolean;
}

/** Options of `quantile` and `nanquantile`. */
export interface QuantileOptions extends KeepDim {
  /** What lies between two elements; default `"linear"`. */
  readonly interpolation?: ops.Interpolation;
}

/** Options of `unique`. */
export interface UniqueOptions {
  /** It always is. */
  readonly sorted?: boolean;
  /** Also where each element is among the unique ones. */
  readonly returnInverse?: boolean;
  /** Also how often each is there. */
  readonly returnCounts?: boolean;
}

/** The values; or a list of them and what else was asked for. */
export type Unique<O extends UniqueOptions> = O extends { returnInverse: true; returnCounts: true }
  ? [output: Tensor, inverse: Tensor, counts: Tensor]
  : O extends { returnInverse: true }
    ? [output: Tensor, inverse: Tensor]
    : O extends { returnCounts: true }
      ? [output: Tensor, counts: Tensor]
      : Tensor;

export abstract class Order extends Writing {
  /**
   * The `k` largest along a dimension, best first; of equals the first. NaN is larger than everything.
   *
   * @throws ShapeError if `k` is not in 0 to the dimension's size
   * @see torch.topk
   *
   * @example
   * const { values, indices } = scores.topk(5);
   */
  topk(k: number, options?: TopkOptions): ValuesAndIndices;
  topk(k: number, dim: number, options?: Omit<TopkOptions, "dim">): ValuesAndIndices;
  topk(k: number, dim?: number | TopkOptions, options?: TopkOptions): ValuesAndIndices {
    const chosen = withDim("topk", dim, options, ["dim", "largest", "sorted"]);
    return this.pair(ops.topk(this.node, k, { dim: chosen.dim ?? -1, largest: chosen.largest ?? true }));
  }

  /**
   * Elements along a dimension in order, and where they came from. Equals keep their order; NaN is larger than everything.
   *
   * @see torch.sort (stable)
   */
  sort(options?: SortOptions): ValuesAndIndices;
  sort(dim: number, options?: Omit<SortOptions, "dim">): ValuesAndIndices;
  sort(dim?: number | SortOptions, options?: SortOptions): ValuesAndIndices {
    return this.sorted("sort", dim, options);
  }

  /** The indices that sort a dimension. @see torch.argsort (stable) */
  argsort(options?: SortOptions): Tensor;
  argsort(dim: number, options?: Omit<SortOptions, "dim">): Tensor;
  argsort(dim?: number | SortOptions, options?: SortOptions): Tensor {
    return naming("argsort", () => this.sorted("argsort", dim, options).indices);
  }

  /** The values of the first dimension in order. @see torch.msort */
  msort(): Tensor {
    return this.sort(0).values;
  }

  private sorted(op: string, dim?: number | SortOptions, options?: SortOptions): ValuesAndIndices {
    const chosen = withDim(op, dim, options, ["dim", "descending", "stable"]);
    return this.pair(ops.sort(this.node, { dim: chosen.dim ?? -1, descending: chosen.descending ?? false }));
  }

  /**
   * The `k`-th smallest along `dim`, from 1, with its index. NaN is larger than everything.
   *
   * @throws ShapeError if `k` is not in 1 to the dimension's size
   * @see torch.kthvalue
   */
  kthvalue(k: number, dim = -1, options?: KeepDim): ValuesAndIndices {
    return this.pair(ops.kthvalue(this.node, k, dim, keepDimOf("kthvalue", options)));
  }

  /**
   * The median of all; or along `dim`, with its index. Of an even number the lower one of two; NaN where there is one.
   *
   * @throws ShapeError if `dim` has size 0
   * @see torch.median
   */
  median(): Tensor;
  median(dim: number, options?: KeepDim): ValuesAndIndices;
  median(dim?: number, options?: KeepDim): Tensor | ValuesAndIndices {
    return this.middle("median", dim, options);
  }

  /** As `median`, of what is not NaN. @see torch.nanmedian */
  nanmedian(): Tensor;
  nanmedian(dim: number, options?: KeepDim): ValuesAndIndices;
  nanmedian(dim?: number, options?: KeepDim): Tensor | ValuesAndIndices {
    return this.middle("nanmedian", dim, options);
  }

  private middle(op: "median" | "nanmedian", dim?: number, options?: KeepDim): Tensor | ValuesAndIndices {
    const keepDim = keepDimOf(op, options);
    if (dim === undefined) return this.unary((x) => ops.median(op, x));
    return this.pair(ops.medianAlong(op, this.node, dim, keepDim));
  }

  /**
   * The most frequent along `dim`, the smallest of several, with the index of its last.
   *
   * @throws ShapeError if `dim` has size 0
   * @see torch.mode
   */
  mode(dim = -1, options?: KeepDim): ValuesAndIndices {
    return this.pair(ops.mode(this.node, dim, keepDimOf("mode", options)));
  }

  /**
   * What lies at rank `q * (n - 1)` of the sorted elements, of all or along `dim`; NaN where there is one.
   *
   * @param q in 0 to 1; several make a first dimension of the result
   * @param options.interpolation between two elements: linear, lower, higher, midpoint or nearest
   * @throws ShapeError of nothing, or if `q` has more than one dimension
   * @throws ValueError if `q` is known and not in 0 to 1. What only a device knows is not checked there, and gives NaN
   * @see torch.quantile
   *
   * @example
   * const [low, middle, high] = await losses.quantile([0.25, 0.5, 0.75]).data();
   */
  quantile(q: number | readonly number[] | Tensor, dim?: number, options?: QuantileOptions): Tensor {
    return this.ranked("quantile", q, dim, options);
  }

  /** As `quantile`, of what is not NaN. @see torch.nanquantile */
  nanquantile(q: number | readonly number[] | Tensor, dim?: number, options?: QuantileOptions): Tensor {
    return this.ranked("nanquantile", q, dim, options);
  }

  private ranked(
    op: "quantile" | "nanquantile",
    q: number | readonly number[] | Tensor,
    dim?: number,
    options: QuantileOptions = {},
  ): Tensor {
    checkOptionNames(op, options, ["interpolation", "keepDim"]);
    const isKnown: boolean = typeof q === "number" || Array.isArray(q) || q instanceof TensorCore;
    if (!isKnown)
      throw new ValueError(`${op}: q must be a number, a list or a tensor, got ${describe(q)}. A median is 0.5.`);
    if (q instanceof TensorCore) return this.combine(op, [q], (x, ranks) => ops.quantile(op, x, ranks, dim, options));
    const [values, shape] = typeof q === "number" ? [[q], []] : [q, [q.length]];
    const ranks =
      this.dtype === "f64"
        ? ops.fromHost(Float64Array.from(values), shape, "f64")
        : ops.fromHost(Float32Array.from(values), shape);
    return this.unary((x) => ops.quantile(op, x, ranks, dim, options));
  }

  /**
   * How many elements lie in each of `bins` equal ranges from `min` to `max`, the last one with its end. Others and NaN are left
   * out. Where `min` is `max`, the ranges go from the smallest element to the largest.
   *
   * @returns `[bins]`, of the tensor's dtype
   * @throws DTypeError if it is no float tensor
   * @see torch.histc
   */
  histc(bins = 100, min = 0, max = 0): Tensor {
    return this.unary((x) => ops.histc(x, bins, min, max));
  }

  /** Where each element would have to be inserted into sorted boundaries, `[n]`; see `searchsorted`. @see torch.bucketize */
  bucketize(boundaries: Tensor, options: { right?: boolean } = {}): Tensor {
    checkOptionNames("bucketize", options, ["right"]);
    return this.combineTensors("bucketize", [boundaries], (x, edges) => {
      if (edges.shape.length === 1) return ops.searchsorted(edges, x, options.right);
      throw new ShapeError(
        `bucketize: boundaries must have 1 dimension, got ${showShape(edges.shape)}. Use searchsorted for rows of them.`,
      );
    });
  }

  /**
   * How often each of `0 ... max` is in a vector of integers, or the sums of its weights. Waits for the device to know the largest.
   *
   * @param weights of the same shape
   * @param minlength least length of the result
   * @returns `[max(minlength, largest + 1)]`, i32, or the weights' dtype
   * @throws ShapeError if this has not one dimension, or weights have another shape
   * @throws DTypeError if it is no integer tensor
   * @throws ValueError if an element is negative, or `minlength` is no count
   * @see torch.bincount
   */
  async bincount(weights: Tensor | null = null, minlength = 0): Promise<Tensor> {
    if (this.ndim !== 1) {
      throw new ShapeError(`bincount: the tensor must have 1 dimension, got ${showShape(this.shape)}. Flatten it.`);
    }
    if (!isInteger(this.dtype)) {
      throw new DTypeError(`bincount: the tensor must hold integers, got ${this.dtype}. Cast it with .to("i32").`);
    }
    if (!(Number.isInteger(minlength) && minlength >= 0)) {
      throw new ValueError(
        `bincount: minlength must be an integer of at least 0, got ${describe(minlength)}. Pass the number of classes.`,
      );
    }
    if (weights !== null) checkWeights(this.self, weights);
    const [low, high] = this.numel() === 0 ? [0, -1] : await this.extent();
    if (low < 0) throw new ValueError(`bincount: elements must not be negative, got ${low}. Add an offset.`);
    const length = Math.max(minlength, high + 1);
    if (weights === null) return this.unary((x) => ops.countEach(x, length));
    return this.combine("bincount", [weights], (x, w) => ops.scatterAdd(ops.zeros([length], w.dtype), 0, x, w));
  }

  /** The smallest and the largest element. */
  private async extent(): Promise<[low: number, high: number]> {
    const [low, high] = await read([this.self.amin(), this.self.amax()]);
    return [low![0]!, high![0]!];
  }

  /**
   * The different values in order. Their number is known once the device has found them, so it is awaited. NaN equals nothing.
   *
   * @returns the values; with `returnInverse` or `returnCounts` a list of them, of the place of each element among them, in this
   *   tensor's shape, and of how often each is there
   * @see torch.unique
   *
   * @example
   * const [classes, counts] = await labels.unique({ returnCounts: true });
   */
  async unique<const O extends UniqueOptions = object>(options?: O): Promise<Unique<O>> {
    checkOptionNames("unique", options, ["sorted", "returnInverse", "returnCounts"]);
    const { values, indices } = this.self.detach().flatten().sort();
    const group = this.wrap(ops.runsOf(values.node));
    return this.groups(values, group, group.gather(0, indices.argsort()), options);
  }

  /**
   * As `unique`, but only neighbours are compared, in the order of the flat tensor.
   *
   * @see torch.unique_consecutive
   */
  async uniqueConsecutive<const O extends Omit<UniqueOptions, "sorted"> = object>(options?: O): Promise<Unique<O>> {
    checkOptionNames("uniqueConsecutive", options, ["returnInverse", "returnCounts"]);
    const values = this.self.detach().flatten();
    const group = this.wrap(ops.runsOf(values.node));
    return this.groups(values, group, group, options);
  }

  /** One of each run of equals, and what else was asked for. `group`: which run each is in. */
  private async groups<O extends UniqueOptions>(
    values: Tensor,
    group: Tensor,
    inverse: Tensor,
    options?: O,
  ): Promise<Unique<O>> {
    const { returnInverse = false, returnCounts = false } = options ?? {};
    const count = values.numel() === 0 ? 0 : (await group.narrow(0, values.numel() - 1, 1).item()) + 1;
    const runs = ops.iota(count);
    const first = this.wrap(ops.searchsorted(group.node, runs));
    const output = values.gather(0, first);
    const counts = this.wrap(ops.sub(ops.searchsorted(group.node, runs, true), first.node));
    const others = [...(returnInverse ? [inverse.reshape(this.shape)] : []), ...(returnCounts ? [counts] : [])];
    return (others.length === 0 ? output : [output, ...others]) as Unique<O>;
  }
}

/** The weights of `bincount`: one for each element. */
function checkWeights(x: Tensor, weights: Tensor): void {
  checkTensors("bincount", weights);
  if (sameShape(weights.shape, x.shape)) return;
  throw new ShapeError(
    `bincount: weights must have the tensor's shape ${showShape(x.shape)}, got ${showShape(weights.shape)}. Pass one weight per element.`,
  );
}

/** A dim by position, or in the options. */
function withDim<O extends { readonly dim?: number }>(
  op: string,
  dim: number | O | undefined,
  options: O | undefined,
  names: readonly string[],
): Partial<O> {
  const chosen = typeof dim === "number" ? options : dim;
  checkOptionNames(op, chosen, names);
  if (chosen?.dim !== undefined) checkNumber(op, "dim", chosen.dim);
  return (typeof dim === "number" ? { ...chosen, dim } : { ...chosen }) as Partial<O>;
}
