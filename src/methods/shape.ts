/** Tensor's changes of shape. Views: no elements are moved. */

import { IndexError, ShapeError } from "../errors";
import { showShape } from "../graph/shape";
import * as ops from "../ops";
import type { Tensor } from "../tensor";
import type { Bounds, Dims } from "./core";
import { Scans } from "./scans";

/** Sizes or dims as PyTorch takes them: a list, or one by one. */
type Listed = readonly number[] | [readonly number[]];
const listed = (args: Listed): readonly number[] => (Array.isArray(args[0]) ? args[0] : (args as readonly number[]));

export abstract class Shaping extends Scans {
  /** The same elements under another shape; one size may be -1. @see torch.reshape */
  reshape(...shape: Listed): Tensor {
    return this.unary((x) => ops.reshape(x, listed(shape)));
  }

  /** As `reshape`. @see torch.Tensor.view */
  view(...shape: Listed): Tensor {
    return this.reshape(...shape);
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
    return this.expand(other.shape);
  }

  /** Elements in reverse order along `dims`. @see torch.flip */
  flip(...dims: Listed): Tensor {
    return this.unary((x) => ops.flip(x, listed(dims)));
  }

  /**
   * `this[starts[0]:ends[0]:steps[0], ...]` as in Python: one entry a dimension, missing ones whole, null for the
   * default; negative starts and ends count from the back, negative steps walk backwards.
   *
   * @example
   * x.slice([0, 1], [2, -1]); // x[0:2, 1:-1]
   */
  slice(starts: Bounds, ends: Bounds = [], steps: readonly number[] = []): Tensor {
    return this.unary((x) => ops.slice(x, starts, ends, steps));
  }

  /** `length` elements of `dim` from `start` on. @see torch.narrow */
  narrow(dim: number, start: number, length: number): Tensor {
    return this.unary((x) => ops.narrow(x, dim, start, length));
  }

  /** The elements at `index` of `dim`, which is removed. @see torch.select */
  select(dim: number, index: number): Tensor {
    const size = this.size(dim);
    if (!Number.isInteger(index) || index < -size || index >= size) {
      throw new IndexError(`select: index must be in ${-size}..${size - 1}, got ${index}. Check dim ${dim}.`);
    }
    return this.narrow(dim, index < 0 ? index + size : index, 1).squeeze(dim);
  }

  /** Pieces of `splitSize` along `dim`; the last may be smaller. @see torch.split */
  split(splitSize: number, dim = 0): Tensor[] {
    const size = this.size(dim);
    if (!(Number.isInteger(splitSize) && splitSize > 0)) {
      throw new ShapeError(
        `split: splitSize must be a positive integer, got ${splitSize}. Pass the size of one piece.`,
      );
    }
    const count = Math.max(1, Math.ceil(size / splitSize));
    return Array.from({ length: count }, (_, piece) =>
      this.narrow(dim, piece * splitSize, Math.min(splitSize, size - piece * splitSize)),
    );
  }

  /** At most `chunks` pieces of one size along `dim`; the last may be smaller. @see torch.chunk */
  chunk(chunks: number, dim = 0): Tensor[] {
    if (!(Number.isInteger(chunks) && chunks > 0)) {
      throw new ShapeError(`chunk: chunks must be a positive integer, got ${chunks}. Pass the number of pieces.`);
    }
    return this.split(Math.max(1, Math.ceil(this.size(dim) / chunks)), dim);
  }

  /** What lies on and below a diagonal; 0 elsewhere. @see torch.tril */
  tril(diagonal = 0): Tensor {
    return this.unary((x) => ops.tril(x, diagonal));
  }

  /** What lies on and above a diagonal; 0 elsewhere. @see torch.triu */
  triu(diagonal = 0): Tensor {
    return this.unary((x) => ops.triu(x, diagonal));
  }
}
