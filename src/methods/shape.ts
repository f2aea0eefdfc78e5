/** Tensor's changes of shape. Views: the same elements under other coordinates, and none is moved. */

import { naming, ShapeError } from "../errors";
import { type Shape, showShape } from "../graph/shape";
import * as ops from "../ops";
import type { Tensor } from "../tensor";
import { checkTensors, type Dims } from "./core";
import { Scans } from "./scans";

/** Sizes or dims as PyTorch takes them: a list, or one by one. */
export type Listed = readonly number[] | [readonly number[]];
export const listed = (args: Listed): readonly number[] =>
  Array.isArray(args[0]) ? args[0] : (args as readonly number[]);

export abstract class Shaping extends Scans {
  /**
   * The same elements in the same order under another shape; one size may be -1.
   *
   * @throws ShapeError if the number of elements would change
   * @see torch.reshape
   */
  reshape(...shape: Listed): Tensor {
    return this.unary((x) => ops.reshape(x, listed(shape)));
  }

  /**
   * As `reshape`. Tensors here have no strides to keep: what PyTorch refuses to view, since it is not contiguous, works too.
   *
   * @see torch.Tensor.view
   */
  view(...shape: Listed): Tensor {
    return this.reshape(...shape);
  }

  /** The same elements under the shape of `other`. @see torch.Tensor.reshape_as */
  reshapeAs(other: Tensor): Tensor {
    checkTensors("reshapeAs", other);
    return naming("reshapeAs", () => this.reshape(other.shape));
  }

  /** As `reshapeAs`. @see torch.Tensor.view_as */
  viewAs(other: Tensor): Tensor {
    checkTensors("viewAs", other);
    return naming("viewAs", () => this.reshape(other.shape));
  }

  /** All elements in one dimension. @see torch.ravel */
  ravel(): Tensor {
    return this.reshape(-1);
  }

  /** Dimension `dim` as several, of which one size may be -1. @see torch.unflatten */
  unflatten(dim: number, sizes: Shape): Tensor {
    return this.unary((x) => ops.unflatten(x, dim, sizes));
  }

  /** Dimensions `startDim` to `endDim` joined to one. @see torch.flatten */
  flatten(startDim = 0, endDim = -1): Tensor {
    return this.unary((x) => ops.flatten(x, startDim, endDim));
  }

  /** Dimensions of size 1 removed: all, or those of `dim`. @see torch.squeeze */
  squeeze(dim?: Dims): Tensor {
    return this.unary((x) => ops.squeeze(x, dim));
  }

  /** A dimension of size 1 inserted at `dim`. @see torch.unsqueeze */
  unsqueeze(dim: number): Tensor {
    return this.unary((x) => ops.unsqueeze(x, dim));
  }

  /** Dimensions in another order. @see torch.permute */
  permute(...dims: Listed): Tensor {
    return this.unary((x) => ops.permute(x, listed(dims)));
  }

  /** Two dimensions swapped. @see torch.transpose */
  transpose(dim0: number, dim1: number): Tensor {
    return this.unary((x) => ops.transpose(x, dim0, dim1));
  }

  /** As `transpose`. @see torch.swapaxes */
  swapaxes(dim0: number, dim1: number): Tensor {
    return naming("swapaxes", () => this.transpose(dim0, dim1));
  }

  /** As `transpose`. @see torch.swapdims */
  swapdims(dim0: number, dim1: number): Tensor {
    return naming("swapdims", () => this.transpose(dim0, dim1));
  }

  /**
   * Dimensions moved to other places; those that are not named keep their order.
   *
   * @throws ShapeError if `source` and `destination` name a different number of dims, or one twice
   * @see torch.movedim
   *
   * @example
   * images.movedim(-1, 1); // [n, h, w, c] -> [n, c, h, w]
   */
  movedim(source: Dims, destination: Dims): Tensor {
    return this.unary((x) => ops.movedim(x, source, destination));
  }

  /** As `movedim`. @see torch.moveaxis */
  moveaxis(source: Dims, destination: Dims): Tensor {
    return naming("moveaxis", () => this.movedim(source, destination));
  }

  /** As `t()`. @see torch.Tensor.T (of more than 2 dimensions, where PyTorch gives up on it: `mT` or `permute`) */
  get T(): Tensor {
    return this.t();
  }

  /** Matrices with rows and columns swapped: the last two dimensions. @see torch.Tensor.mT */
  get mT(): Tensor {
    if (this.ndim < 2) {
      throw new ShapeError(`mT: there must be at least 2 dimensions, got ${showShape(this.shape)}. Unsqueeze it.`);
    }
    return this.transpose(-2, -1);
  }

  /** A matrix with rows and columns swapped; vectors and scalars as they are. @see torch.t */
  t(): Tensor {
    if (this.ndim > 2) {
      throw new ShapeError(`t: there must be at most 2 dimensions, got ${showShape(this.shape)}. Use transpose.`);
    }
    return this.ndim < 2 ? this.self : this.transpose(0, 1);
  }

  /** Dimensions of size 1 repeated, and new ones in front; -1 keeps a size. @see torch.Tensor.expand */
  expand(...shape: Listed): Tensor {
    return this.unary((x) => ops.expand(x, listed(shape)));
  }

  /** As `expand`, to the shape of `other`. @see torch.Tensor.expand_as */
  expandAs(other: Tensor): Tensor {
    checkTensors("expandAs", other);
    return naming("expandAs", () => this.expand(other.shape));
  }

  /** As `expand`. @see torch.broadcast_to */
  broadcastTo(shape: Shape): Tensor {
    return naming("broadcastTo", () => this.expand(shape));
  }
}
