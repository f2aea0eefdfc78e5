/** Tensor's reductions: one value for many, over dims or all. */

import { DTypeError, naming, ValueError } from "../errors";
import { type DType, isFloat } from "../graph/dtype";
import type { Node } from "../graph/node";
import { normalizeDim } from "../graph/shape";
import * as ops from "../ops";
import { checkOptionNames, describe } from "../options";
import type { Tensor } from "../tensor";
import type { Dims, KeepDim, ValuesAndIndices } from "./core";
import { keepDimOf, TensorCore } from "./core";
import { Logic } from "./logic";

/** Options of sums, products and means. */
export interface SumOptions extends KeepDim {
  /** Cast to before anything is added; default: the tensor's, i32 for bool and u8. */
  readonly dtype?: DType;
}

/** Options of variances and standard deviations. */
export interface VarOptions extends KeepDim {
  /** Subtracted from the number of elements; default 1. */
  readonly correction?: number;
  /** PyTorch's other word for a correction of 1 or 0. */
  readonly unbiased?: boolean;
}

type Reduction = (x: Node, dims?: Dims, keepDim?: boolean) => Node;

export abstract class Reductions extends Logic {
  /**
   * Sum over `dim`, or of all.
   *
   * @throws ShapeError if there is no such dimension, or one is listed twice
   * @see torch.sum
   *
   * @example
   * x.sum(); // a scalar
   * x.sum([0, 2], { keepDim: true });
   */
  sum(dim?: Dims, options?: SumOptions): Tensor {
    return this.reduced("sum", ops.sum, dim, options);
  }

  /** Mean over `dim`, or of all; NaN of nothing. @throws DTypeError of no floats, unless `dtype` makes them some. @see torch.mean */
  mean(dim?: Dims, options?: SumOptions): Tensor {
    return this.reduced("mean", floatsOnly("mean", ops.mean), dim, floating("mean", options));
  }

  /** Product over `dim`, or of all. Zeros do no harm in its gradients. @see torch.prod */
  prod(dim?: Dims, options?: SumOptions): Tensor {
    return this.reduced("prod", ops.prod, dim, options);
  }

  /** Sum over `dim`, or of all, of what is not NaN. @see torch.nansum */
  nansum(dim?: Dims, options?: SumOptions): Tensor {
    return naming("nansum", () => this.reduced("nansum", ops.nansum, dim, options));
  }

  /** Mean over `dim`, or of all, of what is not NaN; NaN of nothing. @see torch.nanmean */
  nanmean(dim?: Dims, options?: SumOptions): Tensor {
    return naming("nanmean", () =>
      this.reduced("nanmean", floatsOnly("nanmean", ops.nanmean), dim, floating("nanmean", options)),
    );
  }

  /** How many elements over `dim`, or of all, are not 0; i32. @see torch.count_nonzero */
  countNonzero(dim?: Dims): Tensor {
    return this.unary((x) => ops.countNonzero(x, dim));
  }

  /**
   * Variance over `dim`, or of all: the mean of squared deviations from the mean, over `n - correction`; NaN where that is 0.
   *
   * @param options.correction default 1; or `unbiased: false` for 0
   * @throws ValueError if both are given
   * @see torch.var
   */
  var(dim?: Dims, options: VarOptions = {}): Tensor {
    return this.unary(floatsOnly("var", (x) => ops.variance(x, dim, varOptionsOf("var", options))));
  }

  /** Square root of the variance. Where it is 0, so is its gradient. @see torch.std */
  std(dim?: Dims, options: VarOptions = {}): Tensor {
    return this.unary(floatsOnly("std", (x) => ops.std(x, dim, varOptionsOf("std", options))));
  }

  /** Variance and mean over `dim`, or of all. @see torch.var_mean */
  varMean(dim?: Dims, options: VarOptions = {}): [variance: Tensor, mean: Tensor] {
    const { correction, keepDim } = varOptionsOf("varMean", options);
    return naming("varMean", () => [this.var(dim, { correction, keepDim }), this.mean(dim, { keepDim })]);
  }

  /** Standard deviation and mean over `dim`, or of all. @see torch.std_mean */
  stdMean(dim?: Dims, options: VarOptions = {}): [std: Tensor, mean: Tensor] {
    const { correction, keepDim } = varOptionsOf("stdMean", options);
    return naming("stdMean", () => [this.std(dim, { correction, keepDim }), this.mean(dim, { keepDim })]);
  }

  /**
   * `(sum |this|^p)^(1/p)` over `dim`, or of all.
   *
   * @param p any number, Infinity and -Infinity too; 0 counts what is not 0; "fro" is 2
   * @throws ValueError if `p` is something else
   * @see torch.norm
   */
  norm(p: number | "fro" = 2, dim?: Dims, options?: KeepDim): Tensor {
    return naming("norm", () =>
      this.unary(floatsOnly("norm", (x) => ops.norm(x, powerOf("norm", p), dim, keepDimOf("norm", options)))),
    );
  }

  /** The norm of `this - other`, which broadcast. @see torch.dist */
  dist(other: Tensor, p = 2): Tensor {
    return this.combineTensors("dist", [other], (x, y) => ops.norm(ops.sub(x, y), powerOf("dist", p)));
  }

  /** `log(sum(exp(this)))` over `dim`, or of all. @see torch.logsumexp */
  logsumexp(dim?: Dims, options?: KeepDim): Tensor {
    return this.unary((x) => ops.logsumexp(x, dim, keepDimOf("logsumexp", options)));
  }

  /** Largest over `dim`, or of all; ties share the gradient. @throws ShapeError of nothing. @see torch.amax */
  amax(dim?: Dims, options?: KeepDim): Tensor {
    return this.unary((x) => ops.amax(x, dim, keepDimOf("amax", options)));
  }

  /** Smallest over `dim`, or of all; ties share the gradient. @throws ShapeError of nothing. @see torch.amin */
  amin(dim?: Dims, options?: KeepDim): Tensor {
    return this.unary((x) => ops.amin(x, dim, keepDimOf("amin", options)));
  }

  /** Smallest and largest over `options.dim`, or of all. @see torch.aminmax */
  aminmax(options: KeepDim & { dim?: number } = {}): { min: Tensor; max: Tensor } {
    checkOptionNames("aminmax", options, ["dim", "keepDim"]);
    const { dim, keepDim = false } = options;
    const [min, max] = [ops.amin, ops.amax].map((extreme) => this.unary((x) => extreme(x, dim, keepDim, "aminmax")));
    return { min: min!, max: max! };
  }

  /**
   * Largest of all; or along `dim`, with its index, the first of equals; or the larger of each pair with another tensor.
   * NaN where there is one.
   *
   * @throws ShapeError of nothing
   * @see torch.max
   */
  max(): Tensor;
  max(dim: number, options?: KeepDim): ValuesAndIndices;
  max(other: Tensor): Tensor;
  max(dim?: number | Tensor, options: KeepDim = {}): Tensor | ValuesAndIndices {
    if (dim === undefined)
      return this.unary((x) => ops.sharedByTies(x, ops.amax(ops.withoutGrad(x), null, false, "max")));
    if (dim instanceof TensorCore) return this.self.maximum(dim);
    return this.extreme("max", ops.argmax, dim, options);
  }

  /**
   * Smallest of all; or along `dim`, with its index, the first of equals; or the smaller of each pair with another tensor.
   * NaN where there is one.
   *
   * @throws ShapeError of nothing
   * @see torch.min
   */
  min(): Tensor;
  min(dim: number, options?: KeepDim): ValuesAndIndices;
  min(other: Tensor): Tensor;
  min(dim?: number | Tensor, options: KeepDim = {}): Tensor | ValuesAndIndices {
    if (dim === undefined)
      return this.unary((x) => ops.sharedByTies(x, ops.amin(ops.withoutGrad(x), null, false, "min")));
    if (dim instanceof TensorCore) return this.self.minimum(dim);
    return this.extreme("min", ops.argmin, dim, options);
  }

  /** The elements at one index per place of `dim`. Their gradient goes to that index alone. */
  private extreme(op: string, place: typeof ops.argmax, dim: number, options: KeepDim): ValuesAndIndices {
    normalizeDim(op, dim, this.ndim); // null would be all
    const keepDim = keepDimOf(op, options);
    const indices = place(this.node, dim, true, op);
    const kept = { values: ops.gather(this.node, dim, indices), indices };
    return this.pair(keepDim ? kept : { values: ops.squeeze(kept.values, dim), indices: ops.squeeze(indices, dim) });
  }

  /** Index of the largest along `dim`, or in all; the first of equals, NaN before all. i32. @see torch.argmax */
  argmax(dim: number | null = null, options?: KeepDim): Tensor {
    return this.unary((x) => ops.argmax(x, dim, keepDimOf("argmax", options)));
  }

  /** Index of the smallest along `dim`, or in all; the first of equals, NaN before all. i32. @see torch.argmin */
  argmin(dim: number | null = null, options?: KeepDim): Tensor {
    return this.unary((x) => ops.argmin(x, dim, keepDimOf("argmin", options)));
  }

  /** Whether any element is not 0, over `dim` or of all; false of nothing. Any dtype; NaN is not 0. @see torch.any */
  any(dim?: Dims, options?: KeepDim): Tensor {
    return this.unary((x) => ops.any(x, dim, keepDimOf("any", options)));
  }

  /** Whether all elements are not 0, over `dim` or of all; true of nothing. Any dtype; NaN is not 0. @see torch.all */
  all(dim?: Dims, options?: KeepDim): Tensor {
    return this.unary((x) => ops.all(x, dim, keepDimOf("all", options)));
  }

  private reduced(op: string, make: Reduction, dim: Dims | undefined, options: SumOptions = {}): Tensor {
    checkOptionNames(op, options, ["dtype", "keepDim"]);
    const { dtype, keepDim } = options;
    return this.unary((x) => make(ops.typed(op, x, dtype), dim, keepDim));
  }
}

/** A builder that takes floats only, as in PyTorch. */
const floatsOnly =
  <Rest extends unknown[]>(op: string, make: (x: Node, ...rest: Rest) => Node) =>
  (x: Node, ...rest: Rest): Node => {
    ops.checkFloat(op, x);
    return make(x, ...rest);
  };

/** Options whose dtype is a float, if there is one. */
function floating(op: string, options?: SumOptions): SumOptions | undefined {
  const dtype = options?.dtype;
  if (dtype === undefined) return options;
  ops.checkDTypeName(op, dtype);
  if (isFloat(dtype)) return options;
  throw new DTypeError(`${op}: dtype must be a float, got ${dtype}. Cast the result with .to("${dtype}").`);
}

function varOptionsOf(op: string, options: VarOptions): Required<ops.VarOptions> {
  checkOptionNames(op, options, ["correction", "keepDim", "unbiased"]);
  const { correction, unbiased, keepDim = false } = options;
  if (correction !== undefined && typeof correction !== "number")
    throw new ValueError(`${op}: correction must be a number, got ${describe(correction)}. Pass 0 or 1.`);
  if (correction !== undefined && unbiased !== undefined) {
    throw new ValueError(
      `${op}: correction and unbiased are two words for one thing, got ${correction} and ${unbiased}. Give one.`,
    );
  }
  return { correction: correction ?? Number(unbiased ?? true), keepDim };
}

function powerOf(op: string, p: unknown): number {
  if (p === "fro") return 2;
  if (typeof p === "number" && !Number.isNaN(p)) return p;
  throw new ValueError(`${op}: p must be a number or "fro", got ${String(p)}. Infinity is one too.`);
}
