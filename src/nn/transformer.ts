/** The transformer's encoder. */

import * as F from "../functional";
import { checkChoice, checkOptionNames } from "../options";
import { checkTensors, type Tensor } from "../tensor";
import { MultiheadAttention } from "./attention";
import { Dropout } from "./layers";
import { Linear } from "./linear";
import { checkKind, checkSizes, Module } from "./module";
import { LayerNorm } from "./normalization";

/** Options of `TransformerEncoderLayer`, PyTorch's names. */
export interface TransformerEncoderLayerOptions {
  /** Width between the two linear layers; default 2048. */
  readonly dimFeedforward?: number;
  /** Default 0.1. */
  readonly dropout?: number;
  /** Default `"relu"`. */
  readonly activation?: "relu" | "gelu" | ((x: Tensor) => Tensor);
  /** Default 1e-5. */
  readonly layerNormEps?: number;
  /** Whether the batch is dimension 0, not 1; default false. */
  readonly batchFirst?: boolean;
  /** Whether each part normalises its input instead of its sum; default false. */
  readonly normFirst?: boolean;
}

/** Names of TransformerEncoderLayerOptions. */
export const LAYER_OPTIONS: readonly string[] = [
  ...["dimFeedforward", "dropout", "activation", "layerNormEps", "batchFirst", "normFirst"],
];

/** Masks of an encoder; see `AttendOptions`. */
export interface EncoderMasks {
  readonly srcMask?: Tensor | null;
  readonly srcKeyPaddingMask?: Tensor | null;
}

/**
 * Self-attention, then two linear layers, each with a way around it and a LayerNorm.
 *
 * @shape `[l, n, dModel]`, unchanged; with `batchFirst` `[n, l, dModel]`
 * @see torch.nn.TransformerEncoderLayer (same parameter names, shapes and initialisation); Vaswani et al. 2017
 *   (arXiv:1706.03762)
 *
 * @example
 * const layer = new nn.TransformerEncoderLayer(64, 4, { dimFeedforward: 128, batchFirst: true });
 */
export class TransformerEncoderLayer extends Module {
  readonly selfAttn: MultiheadAttention;
  readonly linear1: Linear;
  readonly dropout: Dropout;
  readonly linear2: Linear;
  readonly norm1: LayerNorm;
  readonly norm2: LayerNorm;
  readonly dropout1: Dropout;
  readonly dropout2: Dropout;
  private readonly activation: (x: Tensor) => Tensor;
  private readonly normFirst: boolean;

  constructor(
    readonly dModel: number,
    readonly nhead: number,
    private readonly options: TransformerEncoderLayerOptions = {},
  ) {
    super();
    checkOptionNames("TransformerEncoderLayer", options, LAYER_OPTIONS);
    const { dimFeedforward = 2048, dropout = 0.1, activation = "relu", layerNormEps = 1e-5 } = options;
    const { batchFirst = false, normFirst = false } = options;
    checkSizes("TransformerEncoderLayer", { dModel, nhead, dimFeedforward });
    this.selfAttn = new MultiheadAttention(dModel, nhead, { dropout, batchFirst });
    this.linear1 = new Linear(dModel, dimFeedforward);
    this.dropout = new Dropout(dropout);
    this.linear2 = new Linear(dimFeedforward, dModel);
    this.norm1 = new LayerNorm(dModel, { eps: layerNormEps });
    this.norm2 = new LayerNorm(dModel, { eps: layerNormEps });
    this.dropout1 = new Dropout(dropout);
    this.dropout2 = new Dropout(dropout);
    this.activation = activationOf("TransformerEncoderLayer", activation);
    this.normFirst = normFirst;
  }

  forward(src: Tensor, masks: EncoderMasks = {}): Tensor {
    checkOptionNames("TransformerEncoderLayer", masks, ["srcMask", "srcKeyPaddingMask"]);
    checkTensors("TransformerEncoderLayer", src);
    if (this.normFirst) {
      const x = src.add(this.attend(this.norm1.forward(src), masks));
      return x.add(this.feedForward(this.norm2.forward(x)));
    }
    const x = this.norm1.forward(src.add(this.attend(src, masks)));
    return this.norm2.forward(x.add(this.feedForward(x)));
  }

  /** A new layer of the same sizes and options, with this one's values. */
  copy(): TransformerEncoderLayer {
    const layer = new TransformerEncoderLayer(this.dModel, this.nhead, this.options);
    layer.loadStateDict(this.stateDict());
    return layer;
  }

  private attend(x: Tensor, { srcMask = null, srcKeyPaddingMask = null }: EncoderMasks): Tensor {
    const masks = { attnMask: srcMask, keyPaddingMask: srcKeyPaddingMask, needWeights: false };
    return this.dropout1.forward(this.selfAttn.forward(x, x, x, masks).output);
  }

  private feedForward(x: Tensor): Tensor {
    const inner = this.dropout.forward(this.activation(this.linear1.forward(x)));
    return this.dropout2.forward(this.linear2.forward(inner));
  }
}

const ACTIVATIONS = { relu: F.relu, gelu: (x: Tensor): Tensor => F.gelu(x) };

/** A layer's activation, by name or as it is. */
export function activationOf(
  layer: string,
  activation: keyof typeof ACTIVATIONS | ((x: Tensor) => Tensor),
): (x: Tensor) => Tensor {
  if (typeof activation === "function") return activation;
  checkChoice(layer, "activation", activation, Object.keys(ACTIVATIONS));
  return ACTIVATIONS[activation];
}

/** Options of `TransformerEncoder`. */
export interface TransformerEncoderOptions {
  /** Applied last; default none. */
  readonly norm?: LayerNorm | null;
}

/**
 * `numLayers` copies of a layer, one after the other. They start equal, as in PyTorch.
 *
 * @shape that of the layer
 * @see torch.nn.TransformerEncoder (same parameter names)
 *
 * @example
 * const encoder = new nn.TransformerEncoder(new nn.TransformerEncoderLayer(64, 4), 2);
 */
export class TransformerEncoder extends Module {
  readonly layers: readonly TransformerEncoderLayer[];
  readonly norm: LayerNorm | null;

  constructor(encoderLayer: TransformerEncoderLayer, numLayers: number, options: TransformerEncoderOptions = {}) {
    super();
    checkOptionNames("TransformerEncoder", options, ["norm"]);
    checkSizes("TransformerEncoder", { numLayers });
    this.layers = Array.from({ length: numLayers }, () => encoderLayer.copy());
    this.norm = options.norm ?? null;
    if (this.norm) checkKind("TransformerEncoder", "norm", this.norm, Module);
  }

  /** @param masks.mask, srcKeyPaddingMask see `AttendOptions` */
  forward(src: Tensor, masks: { mask?: Tensor | null; srcKeyPaddingMask?: Tensor | null } = {}): Tensor {
    checkOptionNames("TransformerEncoder", masks, ["mask", "srcKeyPaddingMask"]);
    const { mask = null, srcKeyPaddingMask = null } = masks;
    const last = this.layers.reduce((value, layer) => layer.forward(value, { srcMask: mask, srcKeyPaddingMask }), src);
    return this.norm ? this.norm.forward(last) : last;
  }
}
