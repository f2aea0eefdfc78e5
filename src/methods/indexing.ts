/** Tensor's indexing and order: gather and scatter, topk and sort. */

import * as ops from "../ops";
import { checkOptionNames } from "../options";
import type { Tensor } from "../tensor";
import type { ValuesAndIndices } from "./core";
import { Shaping } from "./shape";

export abstract class Indexing extends Shaping {
  /** `out[i][j] = this[index[i][j]][j]` for `dim` 0, and so on. @see torch.gather */
  gather(dim: number, index: Tensor): Tensor {
    return this.combine("gather", [index], (x, i) => ops.gather(x, dim, i));
  }

  /** `this`, with `out[index[i][j]][j] += src[i][j]` for `dim` 0, and so on; in a fixed order. @see torch.scatter_add */
  scatterAdd(dim: number, index: Tensor, src: Tensor): Tensor {
    return this.combine("scatterAdd", [index, src], (x, i, s) => ops.scatterAdd(x, dim, i, s));
  }

  /** Entries of `dim` by a list of indices. @see torch.index_select */
  indexSelect(dim: number, index: Tensor): Tensor {
    return this.combine("indexSelect", [index], (x, i) => ops.indexSelect(x, dim, i));
  }

  /** The `k` largest of `dim`, best first; ties by lower index. @see torch.topk */
  topk(k: number, options: { dim?: number; largest?: boolean } = {}): ValuesAndIndices {
    checkOptionNames("topk", options, ["dim", "largest"]);
    const { dim = -1, largest = true } = options;
    return this.pair(ops.topk(this.node, k, { dim, largest }));
  }

  /** Elements of `dim` in order; equal ones stay in theirs. @see torch.sort (stable) */
  sort(options: { dim?: number; descending?: boolean } = {}): ValuesAndIndices {
    checkOptionNames("sort", options, ["dim", "descending"]);
    const { dim = -1, descending = false } = options;
    return this.pair(ops.sort(this.node, { dim, descending }));
  }

  /** The indices that sort `dim`. @see torch.argsort (stable) */
  argsort(options: { dim?: number; descending?: boolean } = {}): Tensor {
    return this.sort(options).indices;
  }
}
