/** Tensor's writing by index. Tensors are values: each gives a new one, in which some elements are others. */

import * as ops from "../ops";
import { checkChoice, checkOptionNames } from "../options";
import type { Tensor } from "../tensor";
import { checkTensorList, checkTensors, type TensorLike } from "./core";
import { type IndexItem, Indexing, itemsOf } from "./indexing";

export abstract class Writing extends Indexing {
  /**
   * This, with `[...items] = value`: PyTorch's way to write into a tensor, except that the result is a new one. So where PyTorch
   * has `x[0] = 1`, or a method that ends in `_` such as `x.add_(1)`, write `x = x.setAt([0], 1)` and `x = x.add(1)`.
   * Gradients flow to the elements that stay, and to the value.
   *
   * @param items as `index` takes them
   * @param value broadcast to what is replaced; of a dtype that fits
   * @param options.accumulate adds instead: an index that is there twice counts twice. Without it the last of them stays
   * @throws IndexError as `index`; ShapeError if the value does not broadcast; DTypeError if it does not fit
   * @see torch.Tensor.__setitem__
   *
   * @example
   * const masked = scores.setAt(["...", 0], -Infinity); // scores[..., 0] = -inf
   */
  setAt(items: readonly IndexItem[], value: TensorLike, options: { readonly accumulate?: boolean } = {}): Tensor {
    checkOptionNames("setAt", options, ["accumulate"]);
    const { accumulate = false } = options;
    return this.combine("setAt", [value], (x, v) => ops.setAt(x, itemsOf("setAt", this.self, items), v, accumulate));
  }

  /** As `setAt` with tensors of indices. @see torch.index_put */
  indexPut(indices: readonly Tensor[], values: TensorLike, options: { readonly accumulate?: boolean } = {}): Tensor {
    checkOptionNames("indexPut", options, ["accumulate"]);
    checkTensorList("indexPut", indices);
    const { accumulate = false } = options;
    return this.combine("indexPut", [values], (x, v) =>
      ops.setAt(x, itemsOf("indexPut", this.self, indices), v, accumulate, "indexPut"),
    );
  }

  /**
   * This, with `out[index[i][j]][j] = src[i][j]` for `dim` 0, and so on. Where several meet, the last one stays, and alone has
   * a gradient (in PyTorch it is undefined which, and all have).
   *
   * @param src a tensor, or one number
   * @param options.reduce adds or multiplies instead
   * @throws IndexError as `gather`; on a GPU, an index out of range writes nothing
   * @see torch.scatter
   */
  scatter(dim: number, index: Tensor, src: TensorLike, options: { readonly reduce?: "add" | "multiply" } = {}): Tensor {
    checkOptionNames("scatter", options, ["reduce"]);
    checkTensors("scatter", index);
    const { reduce } = options;
    if (reduce === undefined) return this.combine("scatter", [index, src], (x, i, s) => ops.scatter(x, dim, i, s));
    checkChoice("scatter", "reduce", reduce, ["add", "multiply"]);
    return this.combine("scatter", [index, src], (x, i, s) => ops.scatterWith(reduce, x, dim, i, s));
  }

  /**
   * This, with `out[index[i][j]][j] += src[i][j]` for `dim` 0, and so on; in the order of `src`, so that bits do not change.
   *
   * @throws IndexError as `gather`; on a GPU, an index out of range adds nothing
   * @see torch.scatter_add
   */
  scatterAdd(dim: number, index: Tensor, src: Tensor): Tensor {
    return this.combineTensors("scatterAdd", [index, src], (x, i, s) => ops.scatterAdd(x, dim, i, s));
  }

  /**
   * This, with `src[i][j]` folded into `out[index[i][j]][j]` for `dim` 0, and so on. Gradients of extremes are shared by ties;
   * second derivatives of products hold where no factor is 0.
   *
   * @param options.includeSelf whether what was there before counts; default true
   * @throws IndexError as `gather`
   * @see torch.scatter_reduce
   */
  scatterReduce(
    dim: number,
    index: Tensor,
    src: Tensor,
    reduce: "sum" | "prod" | "mean" | "amax" | "amin",
    options: { readonly includeSelf?: boolean } = {},
  ): Tensor {
    checkOptionNames("scatterReduce", options, ["includeSelf"]);
    checkChoice("scatterReduce", "reduce", reduce, ["sum", "prod", "mean", "amax", "amin"]);
    const { includeSelf = true } = options;
    return this.combineTensors("scatterReduce", [index, src], (x, i, s) =>
      ops.scatterReduce(x, dim, i, s, { reduce, includeSelf }),
    );
  }

  /**
   * This, with entries of `source` added to those of `dim` that `index` names, in its order.
   *
   * @param options.alpha factor of `source`; default 1
   * @throws ShapeError if `source` has not an entry per index
   * @see torch.index_add
   */
  indexAdd(dim: number, index: Tensor, source: Tensor, options: { readonly alpha?: number } = {}): Tensor {
    checkOptionNames("indexAdd", options, ["alpha"]);
    return this.combineTensors("indexAdd", [index, source], (x, i, s) => ops.indexAdd(x, dim, i, s, options.alpha));
  }

  /** This, with entries of `source` in place of those of `dim` that `index` names. @see torch.index_copy */
  indexCopy(dim: number, index: Tensor, source: Tensor): Tensor {
    return this.combineTensors("indexCopy", [index, source], (x, i, s) => ops.indexCopy(x, dim, i, s));
  }

  /** This, with one value in the entries of `dim` that `index` names; negative ones count from the end. @see torch.index_fill */
  indexFill(dim: number, index: Tensor, value: TensorLike): Tensor {
    checkTensors("indexFill", index);
    return this.combine("indexFill", [index, value], (x, i, v) => ops.indexFill(x, dim, i, v));
  }

  /**
   * This, with the elements of the flat tensor at `index` replaced; negative indices count from the end.
   *
   * @param options.accumulate adds instead
   * @see torch.Tensor.put
   */
  put(index: Tensor, source: Tensor, options: { readonly accumulate?: boolean } = {}): Tensor {
    checkOptionNames("put", options, ["accumulate"]);
    return this.combineTensors("put", [index, source], (x, i, s) => ops.put(x, i, s, options.accumulate));
  }

  /**
   * `value` where the mask is true, this elsewhere; both broadcast.
   *
   * @param value a number or a scalar tensor, of a dtype that fits
   * @throws DTypeError if the mask is not bool, or the value does not fit
   * @see torch.Tensor.masked_fill
   */
  maskedFill(mask: Tensor, value: TensorLike): Tensor {
    checkTensors("maskedFill", mask);
    return this.combine("maskedFill", [mask, value], ops.maskedFill);
  }

  /** The elements of `source`, in their order, where the mask is true; this elsewhere. @see torch.Tensor.masked_scatter */
  maskedScatter(mask: Tensor, source: Tensor): Tensor {
    return this.combineTensors("maskedScatter", [mask, source], ops.maskedScatter);
  }

  /** This, with its diagonal replaced. @see torch.diagonal_scatter */
  diagonalScatter(src: Tensor, offset = 0, dim1 = 0, dim2 = 1): Tensor {
    return this.combineTensors("diagonalScatter", [src], (x, s) => ops.diagonalScatter(x, s, offset, dim1, dim2));
  }

  /** This, with the entry `index` of `dim` replaced. @see torch.select_scatter */
  selectScatter(src: Tensor, dim: number, index: number): Tensor {
    return this.combineTensors("selectScatter", [src], (x, s) => ops.selectScatter(x, s, dim, index));
  }

  /** This, with `start:end:step` of `dim` replaced. @see torch.slice_scatter */
  sliceScatter(src: Tensor, dim = 0, start: number | null = null, end: number | null = null, step = 1): Tensor {
    return this.combineTensors("sliceScatter", [src], (x, s) => ops.sliceScatter(x, s, dim, start, end, step));
  }
}
