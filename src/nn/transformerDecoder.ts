/** The transformer's decoder. */

import { checkOptionNames } from "../options";
import { checkTensors, type Tensor } from "../tensor";
import { MultiheadAttention } from "./attention";
import { Dropout } from "./layers";
import { Linear } from "./linear";
import { checkKind, checkSizes, Module } from "./module";
import { LayerNorm } from "./normalization";
import {
  activationOf,
  LAYER_OPTIONS,
  type TransformerEncoderLayerOptions,
  type TransformerEncoderOptions,
} from "./transformer";

/** Options of `TransformerDecoderLayer`: those of the encoder's. */
export type TransformerDecoderLayerOptions = TransformerEncoderLayerOptions;
/** Options of `TransformerDecoder`: those of the encoder. */
export type TransformerDecoderOptions = TransformerEncoderOptions;

/** Masks of a decoder; see `AttendOptions`. */
export interface DecoderMasks {
  /** What each target ignores of the targets: those after it, say. */
  readonly tgtMask?: Tensor | null;
  /** What each target ignores of the memory. */
  readonly memoryMask?: Tensor | null;
  readonly tgtKeyPaddingMask?: Tensor | null;
  readonly memoryKeyPaddingMask?: Tensor | null;
}

const MASKS = ["tgtMask", "memoryMask", "tgtKeyPaddingMask", "memoryKeyPaddingMask"];

/**
 * Self-attention, attention to what the encoder made, then two linear layers, each with a way around it and a LayerNorm.
 *
 * @shape tgt `[l, n, dModel]`, memory `[s, n, dModel]` -> `[l, n, dModel]`; with `batchFirst` `n` comes first
 * @see torch.nn.TransformerDecoderLayer (same parameter names, shapes and initialisation); Vaswani et al. 2017
 *   (arXiv:1706.03762)
 *
 * @example
 * const layer = new nn.TransformerDecoderLayer(64, 4, { dimFeedforward: 128, batchFirst: true });
 * const causal = ones([length, length]).triu(1).bool();
 * const y = layer.forward(tgt, memory, { tgtMask: causal });
 */
export class TransformerDecoderLayer extends Module {
  readonly selfAttn: MultiheadAttention;
  readonly multiheadAttn: MultiheadAttention;
  readonly linear1: Linear;
  readonly dropout: Dropout;
  readonly linear2: Linear;
  readonly norm1: LayerNorm;
  readonly norm2: LayerNorm;
  readonly norm3: LayerNorm;
  readonly dropout1: Dropout;
  readonly dropout2: Dropout;
  readonly dropout3: Dropout;
  private readonly activation: (x: Tensor) => Tensor;
  private readonly normFirst: boolean;

  constructor(
    readonly dModel: number,
    readonly nhead: number,
    private readonly options: TransformerDecoderLayerOptions = {},
  ) {
    super();
    checkOptionNames("TransformerDecoderLayer", options, LAYER_OPTIONS);
    const { dimFeedforward = 2048, dropout = 0.1, activation = "relu", layerNormEps: eps = 1e-5 } = options;
    const { batchFirst = false, normFirst = false } = options;
    checkSizes("TransformerDecoderLayer", { dModel, nhead, dimFeedforward });
    this.selfAttn = new MultiheadAttention(dModel, nhead, { dropout, batchFirst });
    this.multiheadAttn = new MultiheadAttention(dModel, nhead, { dropout, batchFirst });
    this.linear1 = new Linear(dModel, dimFeedforward);
    this.dropout = new Dropout(dropout);
    this.linear2 = new Linear(dimFeedforward, dModel);
    this.norm1 = new LayerNorm(dModel, { eps });
    this.norm2 = new LayerNorm(dModel, { eps });
    this.norm3 = new LayerNorm(dModel, { eps });
    this.dropout1 = new Dropout(dropout);
    this.dropout2 = new Dropout(dropout);
    this.dropout3 = new Dropout(dropout);
    this.activation = activationOf("TransformerDecoderLayer", activation);
    this.normFirst = normFirst;
  }

  forward(tgt: Tensor, memory: Tensor, masks: DecoderMasks = {}): Tensor {
    checkOptionNames("TransformerDecoderLayer", masks, MASKS);
    checkTensors("TransformerDecoderLayer", tgt, memory);
    const parts = [
      { norm: this.norm1, part: (x: Tensor) => this.attend(x, masks) },
      { norm: this.norm2, part: (x: Tensor) => this.recall(x, memory, masks) },
      { norm: this.norm3, part: (x: Tensor) => this.feedForward(x) },
    ];
    return parts.reduce(
      (x, { norm, part }) => (this.normFirst ? x.add(part(norm.forward(x))) : norm.forward(x.add(part(x)))),
      tgt,
    );
  }

  /** A new layer of the same sizes and options, with this one's values. */
  copy(): TransformerDecoderLayer {
    const layer = new TransformerDecoderLayer(this.dModel, this.nhead, this.options);
    layer.loadStateDict(this.stateDict());
    return layer;
  }

  private attend(x: Tensor, { tgtMask = null, tgtKeyPaddingMask = null }: DecoderMasks): Tensor {
    const masks = { attnMask: tgtMask, keyPaddingMask: tgtKeyPaddingMask, needWeights: false };
    return this.dropout1.forward(this.selfAttn.forward(x, x, x, masks).output);
  }

  private recall(x: Tensor, memory: Tensor, { memoryMask = null, memoryKeyPaddingMask = null }: DecoderMasks): Tensor {
    const masks = { attnMask: memoryMask, keyPaddingMask: memoryKeyPaddingMask, needWeights: false };
    return this.dropout2.forward(this.multiheadAttn.forward(x, memory, memory, masks).output);
  }

  private feedForward(x: Tensor): Tensor {
    const inner = this.dropout.forward(this.activation(this.linear1.forward(x)));
    return this.dropout3.forward(this.linear2.forward(inner));
  }
}

/**
 * `numLayers` copies of a layer, one after the other. They start equal, as in PyTorch.
 *
 * @shape that of the layer
 * @see torch.nn.TransformerDecoder (same parameter names)
 *
 * @example
 * const decoder = new nn.TransformerDecoder(new nn.TransformerDecoderLayer(64, 4), 2);
 */
export class TransformerDecoder extends Module {
  readonly layers: readonly TransformerDecoderLayer[];
  readonly norm: LayerNorm | null;

  constructor(decoderLayer: TransformerDecoderLayer, numLayers: number, options: TransformerDecoderOptions = {}) {
    super();
    checkOptionNames("TransformerDecoder", options, ["norm"]);
    checkSizes("TransformerDecoder", { numLayers });
    this.layers = Array.from({ length: numLayers }, () => decoderLayer.copy());
    this.norm = options.norm ?? null;
    if (this.norm) checkKind("TransformerDecoder", "norm", this.norm, Module);
  }

  forward(tgt: Tensor, memory: Tensor, masks: DecoderMasks = {}): Tensor {
    const last = this.layers.reduce((value, layer) => layer.forward(value, memory, masks), tgt);
    return this.norm ? this.norm.forward(last) : last;
  }
}
