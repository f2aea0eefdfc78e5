/** Tensor's indexing: gather and scatter. */

import * as ops from "../ops";
import type { Tensor } from "../tensor";
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
}
