/** Embedding: a table of vectors, looked up by index. */

import { cat } from "../combine";
import { zeros } from "../creation";
import { ShapeError, ValueError } from "../errors";
import * as F from "../functional";
import { sameShape, showShape } from "../graph/shape";
import { checkOptionNames } from "../options";
import { Parameter } from "../parameter";
import { randn } from "../random";
import { checkTensors, type Tensor } from "../tensor";
import { checkSizes, Module } from "./module";

/** Options of `Embedding`. */
export interface EmbeddingOptions {
  /** A row that starts as zeros and gets no gradient; negative ones count from the back. Default none. */
  readonly paddingIdx?: number | null;
}

/**
 * Rows of a trained table, by index. Initialised with normal numbers.
 *
 * @shape i32 `[...] -> [..., embeddingDim]`
 * @throws ValueError if `paddingIdx` is no row
 * @see torch.nn.Embedding (same parameter name, shape and initialisation)
 *
 * @example
 * const vectors = new nn.Embedding(1000, 64).forward(tensor([[1, 2], [4, 5]], { dtype: "i32" })); // [2, 2, 64]
 */
export class Embedding extends Module {
  readonly weight: Parameter; // [numEmbeddings, embeddingDim]
  readonly paddingIdx: number | null;

  /** @param table first values, in place of random ones; see `fromPretrained` */
  constructor(
    readonly numEmbeddings: number,
    readonly embeddingDim: number,
    options: EmbeddingOptions = {},
    table: Tensor | null = null,
  ) {
    super();
    checkOptionNames("Embedding", options, ["paddingIdx"]);
    const { paddingIdx = null } = options;
    checkSizes("Embedding", { numEmbeddings, embeddingDim });
    if (table && !sameShape(table.shape, [numEmbeddings, embeddingDim])) {
      throw new ShapeError(
        `Embedding: the table must be [${numEmbeddings}, ${embeddingDim}], got ${showShape(table.shape)}. Use Embedding.fromPretrained(table).`,
      );
    }
    this.paddingIdx = paddingIdx === null ? null : rowOf(paddingIdx, numEmbeddings);
    this.weight = new Parameter(table ?? withZeroRow(randn([numEmbeddings, embeddingDim]), this.paddingIdx));
  }

  /**
   * A layer with vectors that are there already.
   *
   * @shape embeddings `[numEmbeddings, embeddingDim]`
   * @param options.freeze whether they are left as they are in training; default true
   * @param options.paddingIdx as in the constructor; its row is not zeroed
   * @throws ShapeError for other ranks
   * @see torch.nn.Embedding.from_pretrained
   */
  static fromPretrained(embeddings: Tensor, options: EmbeddingOptions & { readonly freeze?: boolean } = {}): Embedding {
    checkOptionNames("fromPretrained", options, ["freeze", "paddingIdx"]);
    checkTensors("fromPretrained", embeddings);
    if (embeddings.ndim !== 2) {
      throw new ShapeError(
        `fromPretrained: embeddings must be [numEmbeddings, embeddingDim], got ${showShape(embeddings.shape)}. Reshape them.`,
      );
    }
    const { freeze = true, ...others } = options;
    const [rows, dim] = embeddings.shape as [number, number];
    return new Embedding(rows, dim, others, embeddings.detach()).requiresGrad_(!freeze);
  }

  override extraRepr(): string {
    const padding = this.paddingIdx === null ? "" : `, paddingIdx=${this.paddingIdx}`;
    return `${this.numEmbeddings}, ${this.embeddingDim}${padding}`;
  }

  forward(input: Tensor): Tensor {
    return F.embedding(input, this.weight, { paddingIdx: this.paddingIdx });
  }
}

function rowOf(paddingIdx: number, rows: number): number {
  if (Number.isInteger(paddingIdx) && paddingIdx >= -rows && paddingIdx < rows)
    return paddingIdx < 0 ? paddingIdx + rows : paddingIdx;
  throw new ValueError(
    `Embedding: paddingIdx must be in ${-rows}..${rows - 1}, got ${paddingIdx}. Pass a row of the table.`,
  );
}

function withZeroRow(table: Tensor, row: number | null): Tensor {
  if (row === null) return table;
  const [rows, dim] = table.shape as [number, number];
  return cat([
    table.narrow(0, 0, row),
    zeros([1, dim], { device: table.device }),
    table.narrow(0, row + 1, rows - row - 1),
  ]);
}
