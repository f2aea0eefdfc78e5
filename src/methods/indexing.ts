/** Tensor's reading by index: PyTorch's brackets, gather and the like, masks. */

import { broadcastShapes, type Shape } from "../graph/shape";
import * as ops from "../ops";
import { checkIsList, checkOptionNames } from "../options";
import type { Tensor } from "../tensor";
import { Arranging } from "./arranging";
import { checkTensors, operandsOf, read, TensorCore } from "./core";

type Bound = number | "";

/** A slice in Python's words: `"1:3"`, `":"`, `"::-1"`. Bounds may be filled in: `` `${from}:${to}` ``. */
export type SliceText = `${Bound}:${Bound}` | `${Bound}:${Bound}:${Bound}`;

/**
 * What `index` and `setAt` take per dimension: a number, a slice, null for a new dimension, `"..."` for all dimensions that
 * are not named, a list or tensor of indices, a mask.
 */
export type IndexItem = number | null | "..." | SliceText | readonly number[] | Tensor;

export abstract class Indexing extends Arranging {
  /**
   * `this[...items]`, by PyTorch's rules: numbers take a dimension away, slices keep it, tensors of integers pick from it,
   * broadcast together where there are several, and their dimensions stand where the first was, or in front where
   * something lies between them. Negative indices count from the end. Slices may have negative steps, which PyTorch refuses.
   *
   * Indices that only the device knows are checked when the value is computed, on the CPU. On a GPU an index out of range gives
   * NaN in floats and the last entry in integers, and an IndexError where the device was opened with `debug`.
   *
   * A mask decides the shape of the result, so the host must know it: made by `tensor`, or read before. For others there are
   * `nonzero` and `maskedSelect`, which are awaited.
   *
   * @throws IndexError on this line, for numbers, lists and tensors that the host knows; too many items; a mask of another shape
   * @throws ValueError for a slice that cannot be read, and for masks that only the device knows
   * @see torch.Tensor.__getitem__
   *
   * @example
   * x.index(0, "1:3", "...", null); // x[0, 1:3, ..., None]
   * x.index(":", tensor([2, 0], { dtype: "i32" })); // x[:, [2, 0]]
   * x.index(...(await x.gt(0).nonzero({ asTuple: true }))); // x[x > 0]
   */
  index(...items: readonly IndexItem[]): Tensor {
    return this.unary((x) => ops.index(x, itemsOf("index", this.self, items)));
  }

  /**
   * `out[i][j] = this[index[i][j]][j]` for `dim` 0, and so on.
   *
   * @throws IndexError where the host knows the index, at once; on the CPU, when it runs. A GPU gives NaN, see `index`
   * @see torch.gather
   */
  gather(dim: number, index: Tensor): Tensor {
    return this.combineTensors("gather", [index], (x, i) => ops.gather(x, dim, i));
  }

  /** As `gather`, where tensor and index broadcast outside `dim`; without `dim`, of flat tensors. @see torch.take_along_dim */
  takeAlongDim(indices: Tensor, dim?: number): Tensor {
    return this.combineTensors("takeAlongDim", [indices], (x, i) => ops.takeAlongDim(x, i, dim));
  }

  /** Elements of the flat tensor, in the shape of the index; negative indices count from the end. @see torch.take */
  take(index: Tensor): Tensor {
    return this.combineTensors("take", [index], ops.take);
  }

  /** Entries of `dim` by a list of indices. @see torch.index_select */
  indexSelect(dim: number, index: Tensor): Tensor {
    return this.combineTensors("indexSelect", [index], (x, i) => ops.indexSelect(x, dim, i));
  }

  /**
   * The elements where the mask is true, in one dimension; both broadcast. How many there are depends on values: the mask is read.
   *
   * @see torch.masked_select
   *
   * @example
   * const positive = await x.maskedSelect(x.gt(0));
   */
  async maskedSelect(mask: Tensor): Promise<Tensor> {
    checkTensors("maskedSelect", mask);
    ops.checkMask("maskedSelect", mask.node);
    operandsOf("maskedSelect", [this, mask]);
    const shape = broadcastShapes("maskedSelect", this.shape, mask.shape);
    const flat = this.expand(shape).ravel();
    const places = await mask.expand(shape).ravel().nonzero({ asTuple: true });
    return flat.index(...places);
  }

  /**
   * The coordinates of all elements that are not 0, a row each, in their order; i32 `[count, ndim]`. Read from the device.
   *
   * @see torch.nonzero, torch.argwhere
   */
  async nonzero(options?: { readonly asTuple?: false }): Promise<Tensor>;
  /** One tensor of coordinates a dimension, `[count]`, as `index` takes them. */
  async nonzero(options: { readonly asTuple: true }): Promise<Tensor[]>;
  async nonzero(options: { readonly asTuple?: boolean } = {}): Promise<Tensor | Tensor[]> {
    checkOptionNames("nonzero", options, ["asTuple"]);
    const isScalar = this.ndim === 0 && options.asTuple === true;
    const shape: Shape = isScalar ? [1] : this.shape;
    const values: ArrayLike<number> = (await read([this]))[0]!;
    const places = ops.nonzeroPlaces(values, shape);
    if (options.asTuple === true) return places.map((list) => this.create(ops.fromHost(list, [list.length], "i32")));
    const rank = shape.length;
    const count = places[0]?.length ?? Number(values[0] !== 0);
    const rows = new Int32Array(count * rank);
    places.forEach((list, dim) => list.forEach((place, row) => (rows[row * rank + dim] = place)));
    return this.create(ops.fromHost(rows, [count, rank], "i32"));
  }

  /** As `nonzero()`. @see torch.argwhere */
  argwhere(): Promise<Tensor> {
    return this.nonzero();
  }
}

/** Items as nodes of one device. */
export function itemsOf(op: string, x: Tensor, items: readonly IndexItem[]): ops.Item[] {
  checkIsList(op, "items", items);
  operandsOf(op, [x, ...items.filter((item) => item instanceof TensorCore)]);
  return items.map((item) => (item instanceof TensorCore ? item.node : item));
}
