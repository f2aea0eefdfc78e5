/** Tensor's parts: ranges, pieces, windows, diagonals and triangles. Views, apart from what is set to 0. */

import { IndexError, naming, ShapeError } from "../errors";
import { showShape } from "../graph/shape";
import * as ops from "../ops";
import { describe } from "../options";
import type { Tensor } from "../tensor";
import { Shaping } from "./shape";

export abstract class Parts extends Shaping {
  /**
   * `this[starts[0]:ends[0]:steps[0], ...]` as in Python: one entry a dimension, missing ones whole, null for the
   * default; negative starts and ends count from the back, negative steps walk backwards. `index` takes Python's own words.
   *
   * @example
   * x.slice([0, 1], [2, -1]); // x[0:2, 1:-1]
   */
  slice(starts: ops.Bounds, ends: ops.Bounds = [], steps: readonly number[] = []): Tensor {
    return this.unary((x) => ops.slice(x, starts, ends, steps));
  }

  /** `length` elements of `dim` from `start` on. @see torch.narrow */
  narrow(dim: number, start: number, length: number): Tensor {
    return this.unary((x) => ops.narrow(x, dim, start, length));
  }

  /** The elements at `index` of `dim`, which is removed. @see torch.select */
  select(dim: number, index: number): Tensor {
    const size = this.sizeAt("select", dim);
    if (!Number.isInteger(index) || index < -size || index >= size) {
      throw new IndexError(`select: index must be in ${-size}..${size - 1}, got ${index}. Check dim ${dim}.`);
    }
    return this.narrow(dim, index < 0 ? index + size : index, 1).squeeze(dim);
  }

  /**
   * Pieces along `dim`: of one size, the last may be smaller, or of the sizes that are listed.
   *
   * @throws ShapeError if a size is no positive integer, or a list does not add up to the dimension
   * @see torch.split
   */
  split(splitSizeOrSections: number | readonly number[], dim = 0): Tensor[] {
    const size = this.sizeAt("split", dim);
    if (typeof splitSizeOrSections !== "number") {
      checkList("split", splitSizeOrSections);
      return this.sections("split", splitSizeOrSections, dim);
    }
    const each = splitSizeOrSections;
    if (!(Number.isInteger(each) && (each > 0 || (each === 0 && size === 0)))) {
      throw new ShapeError(`split: the size of a piece must be a positive integer, got ${each}. Pass the size of one.`);
    }
    const count = Math.max(1, size === 0 ? 1 : Math.ceil(size / each));
    return this.sections(
      "split",
      Array.from({ length: count }, (_, piece) => Math.min(each, size - piece * each)),
      dim,
    );
  }

  /** At most `chunks` pieces of one size along `dim`; the last may be smaller. @see torch.chunk */
  chunk(chunks: number, dim = 0): Tensor[] {
    if (!(Number.isInteger(chunks) && chunks > 0)) {
      throw new ShapeError(`chunk: chunks must be a positive integer, got ${chunks}. Pass the number of pieces.`);
    }
    const size = this.sizeAt("chunk", dim);
    if (size === 0) return this.sections("chunk", new Array<number>(chunks).fill(0), dim);
    return this.split(Math.ceil(size / chunks), dim);
  }

  /**
   * Pieces along `dim`: so many, of which the first may be larger by one, or cut before each of the indices.
   *
   * @throws ShapeError if the number is not positive, or an index is no integer
   * @see torch.tensor_split
   *
   * @example
   * arange(7).tensorSplit(3); // of 3, 2 and 2
   * arange(7).tensorSplit([1, 3]); // [0], [1, 2], [3, 4, 5, 6]
   */
  tensorSplit(indicesOrSections: number | readonly number[], dim = 0): Tensor[] {
    const size = this.sizeAt("tensorSplit", dim);
    const cuts = typeof indicesOrSections === "number" ? evenCuts(size, indicesOrSections) : indicesOrSections;
    checkList("tensorSplit", cuts);
    if (!cuts.every(Number.isInteger)) {
      throw new ShapeError(`tensorSplit: indices must be integers, got ${showShape(cuts)}. Round them.`);
    }
    const place = (cut: number): number => Math.min(Math.max(cut < 0 ? cut + size : cut, 0), size);
    return [...cuts, size].map((end, i) => {
      const start = i === 0 ? 0 : place(cuts[i - 1]!);
      return this.narrow(dim, start, Math.max(0, place(end) - start));
    });
  }

  /** All entries of `dim`, which is removed. @see torch.unbind */
  unbind(dim = 0): Tensor[] {
    return Array.from({ length: this.sizeAt("unbind", dim) }, (_, index) => this.select(dim, index));
  }

  /** Pieces of given sizes. */
  private sections(op: string, sizes: readonly number[], dim: number): Tensor[] {
    const total = sizes.reduce((sum, size) => sum + size, 0);
    if (!sizes.every((size) => Number.isInteger(size) && size >= 0) || total !== this.sizeAt(op, dim)) {
      throw new ShapeError(
        `${op}: sizes must be integers of at least 0 that add up to ${this.sizeAt(op, dim)}, got ${showShape(sizes)}. Check dim ${dim} of ${showShape(this.shape)}.`,
      );
    }
    let start = 0;
    return sizes.map((size) => {
      start += size;
      return this.narrow(dim, start - size, size);
    });
  }

  /**
   * Windows of `size` elements along `dim`, `step` apart: dimension `dim` counts them, and a new last dimension holds their
   * elements. A view; the gradient adds up where windows overlap.
   *
   * @throws ShapeError if the dimension is shorter than a window
   * @see torch.Tensor.unfold
   *
   * @example
   * arange(5).unfold(0, 3, 1); // [[0, 1, 2], [1, 2, 3], [2, 3, 4]]
   */
  unfold(dimension: number, size: number, step: number): Tensor {
    return this.unary((x) => ops.unfold(x, dimension, size, step));
  }

  /**
   * The diagonal of two dimensions, as a new last one. A positive `offset` is above the main diagonal.
   *
   * @see torch.diagonal
   */
  diagonal(offset = 0, dim1 = 0, dim2 = 1): Tensor {
    return this.unary((x) => ops.diagonal(x, offset, dim1, dim2));
  }

  /** The diagonal of a matrix; of a vector, the matrix that has it there. @see torch.diag */
  diag(diagonal = 0): Tensor {
    return naming("diag", () => this.unary((x) => ops.diag(x, diagonal)));
  }

  /** The last dimension on the diagonal of two new ones, `dim1` and `dim2`; 0 elsewhere. @see torch.diag_embed */
  diagEmbed(offset = 0, dim1 = -2, dim2 = -1): Tensor {
    return this.unary((x) => ops.diagEmbed(x, offset, dim1, dim2));
  }

  /** The sum of a matrix's diagonal. @see torch.trace */
  trace(): Tensor {
    return this.unary(ops.trace);
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

/** Callers without types may leave it out. */
function checkList(op: string, sizes: unknown): void {
  if (Array.isArray(sizes)) return;
  throw new ShapeError(`${op}: it takes a number or a list of numbers, got ${describe(sizes)}. Write x.${op}(2, dim).`);
}

/** Where to cut `size` elements into pieces of which none is larger by more than one. */
function evenCuts(size: number, sections: number): number[] {
  if (!(Number.isInteger(sections) && sections > 0)) {
    throw new ShapeError(
      `tensorSplit: sections must be a positive integer, got ${sections}. Pass the number of pieces.`,
    );
  }
  const least = Math.floor(size / sections);
  return Array.from({ length: sections - 1 }, (_, i) => (i + 1) * least + Math.min(i + 1, size % sections));
}
