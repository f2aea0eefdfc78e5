/** Tensor's elements in another order, or several times. */

import { naming, ShapeError, ValueError } from "../errors";
import { showShape } from "../graph/shape";
import * as ops from "../ops";
import type { Tensor } from "../tensor";
import { checkTensors, type Dims, operandsOf, read } from "./core";
import { Parts } from "./parts";
import { type Listed, listed } from "./shape";

export abstract class Arranging extends Parts {
  /** Elements in reverse order along `dims`. @see torch.flip */
  flip(...dims: Listed): Tensor {
    return this.unary((x) => ops.flip(x, listed(dims)));
  }

  /** Columns in reverse order. @see torch.fliplr */
  fliplr(): Tensor {
    return this.atLeast("fliplr", 2).flip(1);
  }

  /** Rows in reverse order. @see torch.flipud */
  flipud(): Tensor {
    return this.atLeast("flipud", 1).flip(0);
  }

  private atLeast(op: string, rank: number): Tensor {
    if (this.ndim >= rank) return this.self;
    throw new ShapeError(
      `${op}: there must be at least ${rank} dimensions, got ${showShape(this.shape)}. Unsqueeze it.`,
    );
  }

  /**
   * Elements moved on by `shifts` along `dims`, those at the end to the front; without `dims`, in the flat tensor.
   *
   * @throws ShapeError if there are not as many shifts as dims
   * @see torch.roll
   */
  roll(shifts: Dims, dims?: Dims): Tensor {
    return this.unary((x) => ops.roll(x, shifts, dims));
  }

  /** Turned by `k` quarters in the plane of two dims, from the first towards the second. @see torch.rot90 */
  rot90(k = 1, dims: readonly number[] = [0, 1]): Tensor {
    return this.unary((x) => ops.rot90(x, k, dims));
  }

  /**
   * The tensor several times along each dimension; new dimensions come first.
   *
   * @throws ShapeError if there are fewer counts than dimensions; `tile` takes fewer
   * @see torch.Tensor.repeat
   */
  repeat(...sizes: Listed): Tensor {
    return this.unary((x) => ops.repeat(x, listed(sizes)));
  }

  /** As `repeat`; counts that are missing in front are 1. @see torch.tile */
  tile(...dims: Listed): Tensor {
    return naming("tile", () => this.unary((x) => ops.tile(x, listed(dims))));
  }

  /**
   * Each element several times in a row along `dim`; without it, of the flat tensor.
   *
   * @throws ValueError if a count is negative
   * @see torch.repeat_interleave
   */
  repeatInterleave(repeats: number, dim?: number): Tensor;
  /**
   * Each entry as often as its count says. How many there will be depends on values: the counts are read.
   *
   * @param repeats integers, one for each entry of `dim`
   *
   * @example
   * await x.repeatInterleave(tensor([2, 0, 1], { dtype: "i32" }), 0);
   */
  repeatInterleave(repeats: Tensor, dim?: number): Promise<Tensor>;
  repeatInterleave(repeats: number | Tensor, dim?: number): Tensor | Promise<Tensor> {
    if (typeof repeats === "number") return this.unary((x) => ops.repeatInterleave(x, repeats, dim));
    checkTensors("repeatInterleave", repeats);
    return dim === undefined ? this.ravel().repeatEach(repeats, 0) : this.repeatEach(repeats, dim);
  }

  /** Used by `repeatInterleave`. */
  protected async repeatEach(repeats: Tensor, dim: number): Promise<Tensor> {
    operandsOf("repeatInterleave", [this, repeats]); // one device
    const size = this.sizeAt("repeatInterleave", dim);
    const counts = Array.from((await read([repeats]))[0]! as ArrayLike<number>);
    const all = counts.length === 1 ? new Array<number>(size).fill(counts[0]!) : counts;
    if (all.length !== size || !all.every((count) => Number.isInteger(count) && count >= 0)) {
      throw new ValueError(
        `repeatInterleave: repeats must be a count of at least 0 for each of ${size} entries, got ${showShape(all)}. Check dim ${dim}.`,
      );
    }
    const places = Int32Array.from(all.flatMap((count, place) => new Array<number>(count).fill(place)));
    return this.unary((x) => ops.indexSelect(x, dim, ops.fromHost(places, [places.length], "i32")));
  }
}
