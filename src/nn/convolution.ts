/** Convolution layers. Parameter names, shapes and initialisation are PyTorch's. */

import { ShapeError, ValueError } from "../errors";
import { type Shape, showShape } from "../graph/shape";
import * as F from "../functional";
import { checkOptionNames } from "../options";
import type { Parameter } from "../parameter";
import type { Tensor } from "../tensor";
import { initial } from "./initial";
import { checkSizes, Module } from "./module";
import { shown } from "./shown";

/** What all convolution layers take besides what their functions do. */
interface WithBias {
  /** Default true. */
  readonly bias?: boolean;
}

interface WithPaddingMode {
  /** What the padding is made of: default "zeros". */
  readonly paddingMode?: PaddingMode;
}

/** Zeros, the input mirrored at its edge, the edge itself, or the input's other end. */
export type PaddingMode = "zeros" | "reflect" | "replicate" | "circular";

/** Options of `Conv1d`; see `F.conv1d`. */
export type Conv1dLayerOptions = F.Conv1dOptions & WithBias & WithPaddingMode;
/** Options of `Conv2d`; see `F.conv2d`. */
export type Conv2dLayerOptions = F.Conv2dOptions & WithBias & WithPaddingMode;
/** Options of `ConvTranspose1d`; see `F.convTranspose1d`. */
export type ConvTranspose1dLayerOptions = F.ConvTranspose1dOptions & WithBias;
/** Options of `ConvTranspose2d`; see `F.convTranspose2d`. */
export type ConvTranspose2dLayerOptions = F.ConvTranspose2dOptions & WithBias;

/** What tells the layers apart. */
interface Kind {
  readonly name: string;
  readonly spatial: 1 | 2;
}

type Sizes = number | readonly number[];

/** One size for each spatial dimension. */
const each = (value: Sizes, { spatial }: Kind): readonly number[] =>
  typeof value === "number" ? new Array<number>(spatial).fill(value) : value;

/** A kernel's sizes, checked. */
function kernelSizes(kind: Kind, kernelSize: Sizes): readonly number[] {
  const sizes = each(kernelSize, kind);
  const names = kind.spatial === 1 ? ["kernelSize"] : ["kernelHeight", "kernelWidth"];
  checkSizes(kind.name, Object.fromEntries(names.map((name, d) => [name, sizes[d] ?? NaN])));
  return sizes;
}

/** Defaults, which printing leaves out, in the order of the others; as in PyTorch. */
const UNSPOKEN: Readonly<Record<string, unknown>> = {
  padding: 0,
  dilation: 1,
  outputPadding: 0,
  groups: 1,
  bias: true,
  paddingMode: "zeros",
};

/** Weight and bias of all convolutions, started as PyTorch does. */
abstract class Convolution<Options extends { readonly groups?: number }> extends Module {
  readonly weight: Parameter;
  readonly bias: Parameter | null;
  /** What the layer's function is told. */
  protected readonly options: Options;

  constructor(
    { name }: Kind,
    readonly inChannels: number,
    readonly outChannels: number,
    weightShape: (groups: number) => Shape,
    { bias = true, ...options }: Options & WithBias,
  ) {
    super();
    const { groups = 1 } = options;
    checkSizes(name, { inChannels, outChannels, groups });
    if (inChannels % groups !== 0 || outChannels % groups !== 0) {
      throw new ShapeError(
        `${name}: groups must divide the channels, got ${groups} for ${inChannels} -> ${outChannels}. Change one of them.`,
      );
    }
    const shape = weightShape(groups);
    const fanIn = shape.slice(1).reduce((product, size) => product * size, 1); // of a transposed one too, as in PyTorch
    this.weight = initial(shape, fanIn);
    this.bias = bias ? initial([outChannels], fanIn) : null;
    this.options = options as unknown as Options;
  }

  override extraRepr(): string {
    const { inChannels, outChannels, options } = this;
    const { stride = 1, ...others }: ConvOptions = { ...options, ...this.padding() };
    const given: Readonly<Record<string, unknown>> = { ...others, bias: this.bias !== null };
    const spoken = Object.keys(UNSPOKEN)
      .filter((name) => name in given && JSON.stringify(given[name]) !== JSON.stringify(UNSPOKEN[name]))
      .map((name) => [name, given[name]]);
    const kernelSize = this.weight.shape.slice(2);
    return `${inChannels}, ${outChannels}, ${shown({ kernelSize, stride, ...(Object.fromEntries(spoken) as object) })}`;
  }

  /** The padding as the layer was given it, where its function is told another one. */
  protected padding(): object {
    return {};
  }
}

// --- convolutions ----------------------------------------------------------------------------------------------------

const CONV = ["stride", "padding", "dilation", "groups", "bias", "paddingMode"];
const PADDING_MODES: readonly PaddingMode[] = ["zeros", "reflect", "replicate", "circular"];

/** How a layer pads what its function does not. */
interface Margins {
  readonly mode: Exclude<PaddingMode, "zeros">;
  /** Last dimension first, as `F.pad` takes them. */
  readonly counts: readonly number[];
}

interface ConvOptions {
  readonly stride?: Sizes;
  readonly padding?: Sizes | "same" | "valid";
  readonly dilation?: Sizes;
  readonly groups?: number;
}

/** The margins of a mode other than zeros; null where the function pads. */
function marginsOf(
  kind: Kind,
  kernel: readonly number[],
  { padding = 0, dilation = 1, paddingMode = "zeros" }: ConvOptions & WithPaddingMode,
): Margins | null {
  if (!PADDING_MODES.includes(paddingMode)) {
    throw new ValueError(
      `${kind.name}: paddingMode must be one of ${PADDING_MODES.join(", ")}, got ${paddingMode as string}. Write one of them.`,
    );
  }
  if (paddingMode === "zeros" || padding === "valid") return null;
  const sides = kernel.map((size, d): readonly number[] => {
    if (padding !== "same") return [each(padding, kind)[d]!, each(padding, kind)[d]!];
    const total = each(dilation, kind)[d]! * (size - 1);
    return [Math.floor(total / 2), Math.ceil(total / 2)];
  });
  return { mode: paddingMode, counts: sides.toReversed().flat() };
}

/** Checks that "same" padding can keep the size, whoever pads. */
function checkSame(kind: Kind, { stride = 1, padding }: ConvOptions): void {
  if (padding !== "same" || each(stride, kind).every((step) => step === 1)) return;
  throw new ValueError(
    `${kind.name}: padding "same" must have stride 1, got ${JSON.stringify(stride)}. Give the padding in numbers.`,
  );
}

/** Convolutions that may pad with something else than zeros. */
abstract class PaddedConvolution<Options extends ConvOptions> extends Convolution<Options> {
  private readonly margins: Margins | null;
  private readonly given: { readonly padding: Sizes | "same" | "valid"; readonly paddingMode: PaddingMode };

  constructor(
    kind: Kind,
    inChannels: number,
    outChannels: number,
    kernelSize: Sizes,
    layerOptions: Options & WithBias & WithPaddingMode,
  ) {
    checkOptionNames(kind.name, layerOptions, CONV);
    const kernel = kernelSizes(kind, kernelSize);
    checkSame(kind, layerOptions);
    const margins = marginsOf(kind, kernel, layerOptions);
    const { paddingMode: _, ...options } = { ...layerOptions, ...(margins && { padding: 0 }) };
    super(kind, inChannels, outChannels, (groups) => [outChannels, inChannels / groups, ...kernel], options as Options);
    this.margins = margins;
    this.given = { padding: layerOptions.padding ?? 0, paddingMode: layerOptions.paddingMode ?? "zeros" };
  }

  protected override padding(): object {
    return this.given;
  }

  /** The input with what the function does not pad. */
  protected padded(x: Tensor): Tensor {
    return this.margins ? F.pad(x, this.margins.counts, { mode: this.margins.mode }) : x;
  }
}

/**
 * 1-d convolution.
 *
 * @shape `[n, inChannels, l] -> [n, outChannels, ol]`, also without the batch
 * @throws ShapeError if `groups` does not divide both numbers of channels, ValueError for "same" padding with a stride
 * @see torch.nn.Conv1d (same parameter names, shapes and initialisation)
 *
 * @example
 * const conv = new nn.Conv1d(16, 32, 5, { padding: "same" });
 */
export class Conv1d extends PaddedConvolution<F.Conv1dOptions> {
  constructor(inChannels: number, outChannels: number, kernelSize: F.Size1d, options: Conv1dLayerOptions = {}) {
    super({ name: "Conv1d", spatial: 1 }, inChannels, outChannels, kernelSize, options);
  }

  forward(x: Tensor): Tensor {
    return F.conv1d(this.padded(x), this.weight, this.bias, this.options);
  }
}

/**
 * 2-d convolution.
 *
 * @shape `[n, inChannels, h, w] -> [n, outChannels, oh, ow]`, also without the batch
 * @param kernelSize one size, or `[height, width]`
 * @throws ShapeError if `groups` does not divide both numbers of channels, ValueError for "same" padding with a stride
 * @see torch.nn.Conv2d (same parameter names, shapes and initialisation)
 *
 * @example
 * const conv = new nn.Conv2d(3, 64, 3, { padding: 1, bias: false });
 */
export class Conv2d extends PaddedConvolution<F.Conv2dOptions> {
  constructor(inChannels: number, outChannels: number, kernelSize: F.Size2d, options: Conv2dLayerOptions = {}) {
    super({ name: "Conv2d", spatial: 2 }, inChannels, outChannels, kernelSize, options);
  }

  forward(x: Tensor): Tensor {
    return F.conv2d(this.padded(x), this.weight, this.bias, this.options);
  }
}

// --- transposed convolutions -----------------------------------------------------------------------------------------

const CONV_TRANSPOSE = ["stride", "padding", "outputPadding", "groups", "bias", "dilation"];

interface ConvTransposeOptions {
  readonly stride?: Sizes;
  readonly padding?: Sizes;
  readonly outputPadding?: Sizes;
  readonly dilation?: Sizes;
  readonly groups?: number;
}

/** Transposed convolutions, which may be told the size of their output. */
abstract class TransposedConvolution<Options extends ConvTransposeOptions> extends Convolution<Options> {
  constructor(
    private readonly kind: Kind,
    inChannels: number,
    outChannels: number,
    kernelSize: Sizes,
    layerOptions: Options & WithBias,
  ) {
    checkOptionNames(kind.name, layerOptions, CONV_TRANSPOSE);
    const kernel = kernelSizes(kind, kernelSize);
    super(kind, inChannels, outChannels, (groups) => [inChannels, outChannels / groups, ...kernel], layerOptions);
  }

  /** The options with the output padding that gives an output of this size. */
  protected optionsFor(x: Tensor, outputSize: Sizes | null): Options {
    if (outputSize === null) return this.options;
    const { kind, options } = this;
    const wanted = each(outputSize, kind);
    const { stride = 1, padding = 0, dilation = 1 } = options;
    const [strides, sides, gaps] = [each(stride, kind), each(padding, kind), each(dilation, kind)];
    const least = x.shape.slice(-kind.spatial).map((size, d) => {
      return (size - 1) * strides[d]! - 2 * sides[d]! + gaps[d]! * (this.weight.shape[2 + d]! - 1) + 1;
    });
    const outputPadding = least.map((size, d) => wanted[d]! - size);
    if (wanted.length === kind.spatial && outputPadding.every((count, d) => count >= 0 && count < strides[d]!)) {
      return { ...options, outputPadding };
    }
    const most = least.map((size, d) => size + strides[d]! - 1);
    throw new ValueError(
      `${kind.name}: outputSize must lie in ${showShape(least)}..${showShape(most)}, got ${showShape(wanted)} for an input of ${showShape(x.shape)}. ` +
        `These are the sizes that convolve to it.`,
    );
  }
}

/**
 * 1-d transposed convolution; see `F.convTranspose1d`.
 *
 * @shape `[n, inChannels, l] -> [n, outChannels, ol]`, also without the batch
 * @throws ShapeError if `groups` does not divide both numbers of channels
 * @see torch.nn.ConvTranspose1d (same parameter names, shapes and initialisation)
 */
export class ConvTranspose1d extends TransposedConvolution<F.ConvTranspose1dOptions> {
  constructor(
    inChannels: number,
    outChannels: number,
    kernelSize: F.Size1d,
    options: ConvTranspose1dLayerOptions = {},
  ) {
    super({ name: "ConvTranspose1d", spatial: 1 }, inChannels, outChannels, kernelSize, options);
  }

  /** @param outputSize `ol`, where stride leaves a choice; it takes the place of `outputPadding` */
  forward(x: Tensor, outputSize: F.Size1d | null = null): Tensor {
    return F.convTranspose1d(x, this.weight, this.bias, this.optionsFor(x, outputSize));
  }
}

/**
 * 2-d transposed convolution; see `F.convTranspose2d`.
 *
 * @shape `[n, inChannels, h, w] -> [n, outChannels, oh, ow]`, also without the batch
 * @param kernelSize one size, or `[height, width]`
 * @throws ShapeError if `groups` does not divide both numbers of channels
 * @see torch.nn.ConvTranspose2d (same parameter names, shapes and initialisation)
 *
 * @example
 * const up = new nn.ConvTranspose2d(64, 32, 4, { stride: 2, padding: 1 }); // twice as large
 */
export class ConvTranspose2d extends TransposedConvolution<F.ConvTranspose2dOptions> {
  constructor(
    inChannels: number,
    outChannels: number,
    kernelSize: F.Size2d,
    options: ConvTranspose2dLayerOptions = {},
  ) {
    super({ name: "ConvTranspose2d", spatial: 2 }, inChannels, outChannels, kernelSize, options);
  }

  /** @param outputSize `[oh, ow]`, where stride leaves a choice; it takes the place of `outputPadding` */
  forward(x: Tensor, outputSize: F.Size2d | null = null): Tensor {
    return F.convTranspose2d(x, this.weight, this.bias, this.optionsFor(x, outputSize));
  }
}
