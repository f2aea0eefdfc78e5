/** Tensor's scans: a value for each element, of all elements up to it. */

import { naming } from "../errors";
import type { DType } from "../graph/dtype";
import * as ops from "../ops";
import { checkOptionNames } from "../options";
import type { Tensor } from "../tensor";
import { checkOptionalTensors, operandsOf, type ValuesAndIndices } from "./core";
import { Reductions } from "./reductions";

export abstract class Scans extends Reductions {
  /**
   * Sums of all elements up to each one, along `dim`.
   *
   * @param options.dtype cast to before adding; default: the tensor's, i32 for bool and u8
   * @throws ShapeError if there is no dimension `dim`
   * @see torch.cumsum
   */
  cumsum(dim: number, options: { dtype?: DType } = {}): Tensor {
    return this.scan("cumsum", ops.cumsum, dim, options);
  }

  /**
   * Products of all elements up to each one, along `dim`. Zeros do no harm in its gradients.
   *
   * @param options.dtype cast to before multiplying; default: the tensor's, i32 for bool and u8
   * @throws ShapeError if there is no dimension `dim`
   * @see torch.cumprod
   */
  cumprod(dim: number, options: { dtype?: DType } = {}): Tensor {
    return this.scan("cumprod", ops.cumprod, dim, options);
  }

  /** `log(cumsum(exp(this)))` along `dim`, without overflow. @see torch.logcumsumexp */
  logcumsumexp(dim: number): Tensor {
    return this.unary((x) => ops.logcumsumexp(x, dim));
  }

  /** The largest of all elements up to each one along `dim`, with its index, the last of equals; NaN stays. @see torch.cummax */
  cummax(dim: number): ValuesAndIndices {
    return this.pair(ops.cummax(this.node, dim));
  }

  /** The smallest of all elements up to each one along `dim`, with its index, the last of equals; NaN stays. @see torch.cummin */
  cummin(dim: number): ValuesAndIndices {
    return this.pair(ops.cummin(this.node, dim));
  }

  /**
   * Differences of neighbours along a dimension; of bools, where they differ.
   *
   * @param n how often they are taken
   * @param options.prepend, append joined to the tensor before that
   * @throws ShapeError if the tensor is a scalar
   * @see torch.diff
   */
  diff(n = 1, dim = -1, options: { prepend?: Tensor; append?: Tensor } = {}): Tensor {
    checkOptionNames("diff", options, ["prepend", "append"]);
    const { prepend = null, append = null } = options;
    checkOptionalTensors("diff", prepend, append);
    const [x, before, after] = operandsOf("diff", [this, prepend, append]);
    const parts = [before, x, after].filter((part) => part !== null);
    return this.wrap(naming("diff", () => ops.diff(parts.length === 1 ? x : ops.cat(parts, dim), n, dim)));
  }

  private scan(op: string, make: typeof ops.cumsum, dim: number, options: { dtype?: DType }): Tensor {
    checkOptionNames(op, options, ["dtype"]);
    return this.unary((x) => make(ops.typed(op, x, options.dtype), dim));
  }
}
