/** Layers with a weight matrix: Linear and Conv2d. Initialised as in PyTorch: uniform in `+-1 / sqrt(fanIn)`. */

import { ShapeError } from "../errors";
import type { Shape } from "../graph/shape";
import * as F from "../functional";
import { checkOptionNames } from "../options";
import { Parameter } from "../parameter";
import { uniform } from "../random";
import type { Tensor } from "../tensor";
import { checkSizes, Module } from "./module";

/** PyTorch's default for weights (kaimingUniform with a = sqrt(5)) and biases alike. */
function initial(shape: Shape, fanIn: number): Parameter {
  const bound = 1 / Math.sqrt(fanIn);
  return new Parameter(uniform(shape, { low: -bound, high: bound }));
}

/** Options of `Linear`. */
export interface LinearOptions {
  /** Default true. */
  readonly bias?: boolean;
}

/**
 * Affine map `y = x @ weight.T + bias`.
 *
 * @shape `[..., inFeatures] -> [..., outFeatures]`
 * @throws ShapeError if the last dimension of `x` is not `inFeatures`
 * @see torch.nn.Linear (same parameter names, shapes and initialisation)
 *
 * @example
 * const y = new nn.Linear(512, 128).forward(x);
 */
export class Linear extends Module {
  readonly weight: Parameter; // [outFeatures, inFeatures]
  readonly bias: Parameter | null; // [outFeatures]

  constructor(
    readonly inFeatures: number,
    readonly outFeatures: number,
    options: LinearOptions = {},
  ) {
    super();
    checkOptionNames("Linear", options, ["bias"]);
    const { bias = true } = options;
    checkSizes("Linear", { inFeatures, outFeatures });
    this.weight = initial([outFeatures, inFeatures], inFeatures);
    this.bias = bias ? initial([outFeatures], inFeatures) : null;
  }

  forward(x: Tensor): Tensor {
    return F.linear(x, this.weight, this.bias);
  }
}

/** Options of `Conv2d`; see `F.conv2d`. */
export interface Conv2dLayerOptions extends F.Conv2dOptions {
  /** Default true. */
  readonly bias?: boolean;
}

/**
 * 2-d convolution.
 *
 * @shape `[n, inChannels, h, w] -> [n, outChannels, oh, ow]`
 * @param kernelSize one size, or `[height, width]`
 * @throws ShapeError if `groups` does not divide both numbers of channels
 * @see torch.nn.Conv2d (same parameter names, shapes and initialisation)
 *
 * @example
 * const conv = new nn.Conv2d(3, 64, 3, { padding: 1, bias: false });
 */
export class Conv2d extends Module {
  readonly weight: Parameter; // [outChannels, inChannels / groups, kernelHeight, kernelWidth]
  readonly bias: Parameter | null; // [outChannels]
  private readonly options: F.Conv2dOptions;

  constructor(
    readonly inChannels: number,
    readonly outChannels: number,
    kernelSize: F.Size2d,
    layerOptions: Conv2dLayerOptions = {},
  ) {
    super();
    checkOptionNames("Conv2d", layerOptions, ["stride", "padding", "dilation", "groups", "bias"]);
    const { bias = true, ...options } = layerOptions;
    const [kernelHeight, kernelWidth] = typeof kernelSize === "number" ? [kernelSize, kernelSize] : kernelSize;
    const { groups = 1 } = options;
    checkSizes("Conv2d", { inChannels, outChannels, kernelHeight, kernelWidth, groups });
    if (inChannels % groups !== 0 || outChannels % groups !== 0) {
      throw new ShapeError(
        `Conv2d: groups must divide the channels, got ${groups} for ${inChannels} -> ${outChannels}. Change one of them.`,
      );
    }
    const fanIn = (inChannels / groups) * kernelHeight * kernelWidth;
    this.weight = initial([outChannels, inChannels / groups, kernelHeight, kernelWidth], fanIn);
    this.bias = bias ? initial([outChannels], fanIn) : null;
    this.options = options;
  }

  forward(x: Tensor): Tensor {
    return F.conv2d(x, this.weight, this.bias, this.options);
  }
}
