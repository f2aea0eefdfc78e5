/** MultiheadAttention: several attentions side by side, each on its own projection. */

import { cat } from "../combine";
import { zeros } from "../creation";
import { ShapeError, ValueError } from "../errors";
import * as F from "../functional";
import { attentionWeights, maskOf } from "../functional/attention";
import { showShape } from "../graph/shape";
import { checkOptionNames } from "../options";
import { Parameter } from "../parameter";
import { checkTensors, type Tensor } from "../tensor";
import { xavierNormal_, xavierUniform_ } from "./init";
import { Linear } from "./linear";
import { checkSizes, Module } from "./module";

/** Options of `MultiheadAttention`, PyTorch's names. */
export interface MultiheadAttentionOptions {
  /** Probability of dropping an attention weight in training; default 0. */
  readonly dropout?: number;
  /** Whether projections have a bias; default true. */
  readonly bias?: boolean;
  /** Whether a trained key and value are added to every sequence; default false. */
  readonly addBiasKv?: boolean;
  /** Whether a key and value of zeros are added to every sequence; default false. */
  readonly addZeroAttn?: boolean;
  /** Size of keys; default `embedDim`. */
  readonly kdim?: number;
  /** Size of values; default `embedDim`. */
  readonly vdim?: number;
  /** Whether the batch is dimension 0, not 1; default false. */
  readonly batchFirst?: boolean;
}

/** Options of `MultiheadAttention.forward`. */
export interface AttendOptions {
  /** Which keys count for nothing: bool (true: ignored) or floats that are added, `[n, s]`, or `[s]` unbatched. */
  readonly keyPaddingMask?: Tensor | null;
  /** Which keys each query ignores: bool (true: not attended to) or floats that are added, `[l, s]` or `[n * numHeads, l, s]`. */
  readonly attnMask?: Tensor | null;
  /** Whether the weights are wanted too; default true. */
  readonly needWeights?: boolean;
  /** Whether those are the mean over heads; default true. */
  readonly averageAttnWeights?: boolean;
}

/** What attention gives. */
export interface Attended {
  readonly output: Tensor;
  /** `[n, l, s]`, or `[n, numHeads, l, s]`; without `n` where there is no batch; null where not wanted. */
  readonly weights: Tensor | null;
}

/**
 * `softmax(q k.T / sqrt(headDim)) v` for `numHeads` parts of the features, each projected, then joined by a projection.
 *
 * @shape query `[l, n, embedDim]`, key `[s, n, kdim]`, value `[s, n, vdim]` -> output `[l, n, embedDim]`; with `batchFirst`
 *   `n` comes first; unbatched without `n`
 * @throws ShapeError if `numHeads` does not divide `embedDim`, or inputs or masks do not fit
 * @see torch.nn.MultiheadAttention (same parameter names, shapes and initialisation); Vaswani et al. 2017 (arXiv:1706.03762)
 *
 * @example
 * const attention = new nn.MultiheadAttention(64, 4, { batchFirst: true });
 * const { output, weights } = attention.forward(x, x, x);
 */
export class MultiheadAttention extends Module {
  readonly inProjWeight: Parameter | null = null; // [3 * embedDim, embedDim], where all sizes agree
  readonly qProjWeight: Parameter | null = null; // [embedDim, embedDim], where they do not
  readonly kProjWeight: Parameter | null = null; // [embedDim, kdim]
  readonly vProjWeight: Parameter | null = null; // [embedDim, vdim]
  readonly inProjBias: Parameter | null; // [3 * embedDim]
  readonly biasK: Parameter | null; // [1, 1, embedDim]
  readonly biasV: Parameter | null; // [1, 1, embedDim]
  readonly outProj: Linear;
  readonly headDim: number;
  private readonly dropout: number;
  private readonly addZeroAttn: boolean;
  private readonly batchFirst: boolean;

  constructor(
    readonly embedDim: number,
    readonly numHeads: number,
    options: MultiheadAttentionOptions = {},
  ) {
    super();
    const names = ["dropout", "bias", "addBiasKv", "addZeroAttn", "kdim", "vdim", "batchFirst"];
    checkOptionNames("MultiheadAttention", options, names);
    const { dropout = 0, bias = true, addBiasKv = false, addZeroAttn = false, batchFirst = false } = options;
    const { kdim = embedDim, vdim = embedDim } = options;
    checkSizes("MultiheadAttention", { embedDim, numHeads, kdim, vdim });
    if (embedDim % numHeads !== 0) {
      throw new ShapeError(
        `MultiheadAttention: numHeads must divide embedDim, got ${numHeads} and ${embedDim}. Change one of them.`,
      );
    }
    if (!(dropout >= 0 && dropout <= 1)) {
      throw new ValueError(`MultiheadAttention: dropout must be in [0, 1], got ${dropout}. It is a probability.`);
    }
    this.headDim = embedDim / numHeads;
    const projection = (rows: number, columns: number): Parameter =>
      xavierUniform_(new Parameter(zeros([rows, columns])));
    if (kdim === embedDim && vdim === embedDim) {
      this.inProjWeight = projection(3 * embedDim, embedDim);
    } else {
      this.qProjWeight = projection(embedDim, embedDim);
      this.kProjWeight = projection(embedDim, kdim);
      this.vProjWeight = projection(embedDim, vdim);
    }
    this.inProjBias = bias ? new Parameter(zeros([3 * embedDim])) : null;
    this.outProj = new Linear(embedDim, embedDim, { bias });
    this.outProj.bias?.assign(zeros([embedDim]));
    this.biasK = addBiasKv ? xavierNormal_(new Parameter(zeros([1, 1, embedDim]))) : null;
    this.biasV = addBiasKv ? xavierNormal_(new Parameter(zeros([1, 1, embedDim]))) : null;
    this.dropout = dropout;
    this.addZeroAttn = addZeroAttn;
    this.batchFirst = batchFirst;
  }

  override extraRepr(): string {
    return `embedDim=${this.embedDim}, numHeads=${this.numHeads}, batchFirst=${this.batchFirst}`;
  }

  forward(query: Tensor, key: Tensor, value: Tensor, options: AttendOptions = {}): Attended {
    const names = ["keyPaddingMask", "attnMask", "needWeights", "averageAttnWeights"];
    checkOptionNames("MultiheadAttention", options, names);
    const { needWeights = true, averageAttnWeights = true } = options;
    this.checkInputs(query, key, value);
    const isBatched = query.ndim === 3;
    const inner = (x: Tensor): Tensor => (!isBatched ? x.unsqueeze(0) : this.batchFirst ? x : x.transpose(0, 1));
    const outer = (x: Tensor): Tensor => (!isBatched ? x.squeeze(0) : this.batchFirst ? x : x.transpose(0, 1));

    const [q, k, v] = this.project(inner(query), inner(key), inner(value)); // [n, l or s, embedDim]
    const [keys, values] = this.withExtraKeys(k, v);
    const heads = this.splitHeads(q); // [n, numHeads, l, headDim]
    const mask = this.maskFor(heads, k.size(1), keys.size(2), options);
    const weights = F.dropout(attentionWeights(heads, keys, mask), { p: this.dropout, training: this.training });
    const joined = weights.matmul(values).transpose(1, 2).flatten(2); // [n, l, embedDim]
    const shown = needWeights ? (averageAttnWeights ? weights.mean(1) : weights) : null;
    return {
      output: outer(this.outProj.forward(joined)),
      weights: shown && !isBatched ? shown.squeeze(0) : shown,
    };
  }

  private checkInputs(query: Tensor, key: Tensor, value: Tensor): void {
    checkTensors("MultiheadAttention", query, key, value);
    const { batchFirst } = this;
    const batchDim = batchFirst ? 0 : 1;
    const ranksAgree = [2, 3].includes(query.ndim) && key.ndim === query.ndim && value.ndim === query.ndim;
    const keyLength = (x: Tensor): number => x.size(x.ndim === 3 && batchFirst ? 1 : 0);
    const fits =
      ranksAgree &&
      keyLength(key) === keyLength(value) &&
      (query.ndim === 2 || [key, value].every((x) => x.size(batchDim) === query.size(batchDim)));
    if (fits && query.size(-1) === this.embedDim) return; // keys' and values' sizes are checked by their projections
    throw new ShapeError(
      `MultiheadAttention: query, key and value must be ${batchFirst ? "[n, l, embedDim], [n, s, kdim] and [n, s, vdim]" : "[l, n, embedDim], [s, n, kdim] and [s, n, vdim]"}, ` +
        `got ${showShape(query.shape)}, ${showShape(key.shape)} and ${showShape(value.shape)} for embedDim ${this.embedDim}. Check batchFirst.`,
    );
  }

  private project(...inputs: [Tensor, Tensor, Tensor]): [Tensor, Tensor, Tensor] {
    const { embedDim, inProjWeight } = this;
    const part = (x: Parameter | null, index: number): Tensor | null => x && x.narrow(0, index * embedDim, embedDim);
    const own = [this.qProjWeight, this.kProjWeight, this.vProjWeight];
    return inputs.map((x, index) =>
      F.linear(x, part(inProjWeight, index) ?? own[index]!, part(this.inProjBias, index)),
    ) as [Tensor, Tensor, Tensor];
  }

  /** Keys and values by head, with the trained ones and those of zeros at the end: `[n, numHeads, s + extra, headDim]`. */
  private withExtraKeys(k: Tensor, v: Tensor): [Tensor, Tensor] {
    const batch = k.size(0);
    const extended = (x: Tensor, bias: Parameter | null): Tensor => {
      const trained = bias ? cat([x, bias.expand(batch, 1, -1)], 1) : x;
      const heads = this.splitHeads(trained);
      if (!this.addZeroAttn) return heads;
      return cat([heads, zeros([batch, this.numHeads, 1, this.headDim], { device: x.device, dtype: x.dtype })], 2);
    };
    return [extended(k, this.biasK), extended(v, this.biasV)];
  }

  /** `[n, length, embedDim] -> [n, numHeads, length, headDim]` */
  private splitHeads(x: Tensor): Tensor {
    return x.reshape(x.size(0), x.size(1), this.numHeads, this.headDim).transpose(1, 2);
  }

  /** Both masks as one that is added to scores `[n, numHeads, l, s + extra]`: extra keys are always seen. */
  private maskFor(heads: Tensor, given: number, total: number, options: AttendOptions): Tensor | null {
    const { attnMask = null, keyPaddingMask = null } = options;
    const [n, , l] = heads.shape as [number, number, number, number];
    const extended = (mask: Tensor): Tensor => {
      const floats = maskOf(mask);
      if (total === given) return floats;
      const seen = zeros([...floats.shape.slice(0, -1), total - given], { device: floats.device, dtype: floats.dtype });
      return cat([floats, seen], -1);
    };
    const ofQueries = attnMask && extended(this.queryMask(attnMask, n, l, given));
    const ofKeys = keyPaddingMask && extended(this.keyMask(keyPaddingMask, n, given));
    return ofQueries && ofKeys ? ofQueries.add(ofKeys) : (ofQueries ?? ofKeys);
  }

  private queryMask(mask: Tensor, n: number, l: number, s: number): Tensor {
    const { numHeads } = this;
    const expected = mask.ndim === 2 ? [l, s] : [n * numHeads, l, s];
    checkMask("attnMask", mask, expected, `[${l}, ${s}] or [${n * numHeads}, ${l}, ${s}]`);
    return mask.ndim === 2 ? mask : mask.reshape(n, numHeads, l, s);
  }

  private keyMask(mask: Tensor, n: number, s: number): Tensor {
    const batched = mask.ndim === 1 ? mask.unsqueeze(0) : mask;
    checkMask("keyPaddingMask", batched, [n, s], `[${n}, ${s}]`);
    return batched.reshape(n, 1, 1, s);
  }
}

function checkMask(name: string, mask: Tensor, expected: readonly number[], shown: string): void {
  if (mask.ndim === expected.length && mask.shape.every((size, d) => size === expected[d])) return;
  throw new ShapeError(
    `MultiheadAttention: ${name} must be ${shown}, got ${showShape(mask.shape)}. Expand or reshape it.`,
  );
}
