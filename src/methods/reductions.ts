/** Tensor's reductions: one value for many, over dims or all. */

import * as ops from "../ops";
import { checkOptionNames } from "../options";
import type { Tensor } from "../tensor";
import type { Dims, KeepDim, ValuesAndIndices } from "./core";
import { keepDimOf } from "./core";
import { Logic } from "./logic";

export abstract class Reductions extends Logic {
  /** Sum over `dim`, or of all. @see torch.sum */
  sum(dim?: Dims, options?: KeepDim): Tensor {
    return this.unary((x) => ops.sum(x, dim, keepDimOf("sum", options)));
  }

  /** Mean over `dim`, or of all. @see torch.mean */
  mean(dim?: Dims, options?: KeepDim): Tensor {
    return this.unary((x) => ops.mean(x, dim, keepDimOf("mean", options)));
  }

  /** Product over `dim`, or of all. @see torch.prod */
  prod(dim?: Dims, options?: KeepDim): Tensor {
    return this.unary((x) => ops.prod(x, dim, keepDimOf("prod", options)));
  }

  /** Variance over `dim`, or of all; divides by `n - correction`. @see torch.var */
  var(dim?: Dims, options: KeepDim & { correction?: number } = {}): Tensor {
    checkOptionNames("var", options, ["correction", "keepDim"]);
    const { correction = 1, keepDim = false } = options;
    return this.unary((x) => ops.variance(x, dim, { correction, keepDim }));
  }

  /** Standard deviation over `dim`, or of all; divides by `n - correction`. @see torch.std */
  std(dim?: Dims, options: KeepDim & { correction?: number } = {}): Tensor {
    checkOptionNames("std", options, ["correction", "keepDim"]);
    const { correction = 1, keepDim = false } = options;
    return this.unary((x) => ops.std(x, dim, { correction, keepDim }));
  }

  /** `(sum |this|^p)^(1/p)` over `dim`, or of all; p may be Infinity. @see torch.linalg.vector_norm */
  norm(p = 2, dim?: Dims, options?: KeepDim): Tensor {
    return this.unary((x) => ops.norm(x, p, dim, keepDimOf("norm", options)));
  }

  /** `log(sum(exp(this)))` over `dim`, or of all. @see torch.logsumexp */
  logsumexp(dim?: Dims, options?: KeepDim): Tensor {
    return this.unary((x) => ops.logsumexp(x, dim, keepDimOf("logsumexp", options)));
  }

  /** Largest over `dim`, or of all; ties share the gradient. @see torch.amax */
  amax(dim?: Dims, options?: KeepDim): Tensor {
    return this.unary((x) => ops.amax(x, dim, keepDimOf("amax", options)));
  }

  /** Smallest over `dim`, or of all; ties share the gradient. @see torch.amin */
  amin(dim?: Dims, options?: KeepDim): Tensor {
    return this.unary((x) => ops.amin(x, dim, keepDimOf("amin", options)));
  }

  /** Largest of all; or along `dim`, with its index, the first of equals. @see torch.max */
  max(): Tensor;
  max(dim: number, options?: KeepDim): ValuesAndIndices;
  max(dim?: number, options: KeepDim = {}): Tensor | ValuesAndIndices {
    return dim === undefined ? this.amax() : this.extreme(dim, this.argmax(dim, { keepDim: true }), options);
  }

  /** Smallest of all; or along `dim`, with its index, the first of equals. @see torch.min */
  min(): Tensor;
  min(dim: number, options?: KeepDim): ValuesAndIndices;
  min(dim?: number, options: KeepDim = {}): Tensor | ValuesAndIndices {
    return dim === undefined ? this.amin() : this.extreme(dim, this.argmin(dim, { keepDim: true }), options);
  }

  /** The elements at one index per place of `dim`. Their gradient goes to that index alone. */
  private extreme(dim: number, index: Tensor, options: KeepDim): ValuesAndIndices {
    const keepDim = keepDimOf("max", options);
    const values = this.self.gather(dim, index);
    return keepDim ? { values, indices: index } : { values: values.squeeze(dim), indices: index.squeeze(dim) };
  }

  /** Index of the largest along `dim`, or in all; the first of equals. @see torch.argmax */
  argmax(dim: number | null = null, options?: KeepDim): Tensor {
    return this.unary((x) => ops.argmax(x, dim, keepDimOf("argmax", options)));
  }

  /** Index of the smallest along `dim`, or in all; the first of equals. @see torch.argmin */
  argmin(dim: number | null = null, options?: KeepDim): Tensor {
    return this.unary((x) => ops.argmin(x, dim, keepDimOf("argmin", options)));
  }

  /** Whether any element is not 0, over `dim` or of all. @see torch.any */
  any(dim?: Dims, options?: KeepDim): Tensor {
    return this.unary((x) => ops.any(x, dim, keepDimOf("any", options)));
  }

  /** Whether all elements are not 0, over `dim` or of all. @see torch.all */
  all(dim?: Dims, options?: KeepDim): Tensor {
    return this.unary((x) => ops.all(x, dim, keepDimOf("all", options)));
  }
}
