/** Pooling layers; see the functions of the same names. */

import * as F from "../functional";
import { checkOptionNames } from "../options";
import type { Tensor } from "../tensor";
import { Module } from "./module";

type LayerOptions<Options> = Omit<Options, "returnIndices">;

const MAX_POOL = ["stride", "padding", "dilation", "ceilMode"];
const AVG_POOL = ["stride", "padding", "ceilMode", "countIncludePad"];

/**
 * Largest element of each window; see `F.maxPool1d`.
 *
 * @shape `[n, c, l] -> [n, c, ol]`, also without the batch
 * @see torch.nn.MaxPool1d
 */
export class MaxPool1d extends Module {
  constructor(
    private readonly kernelSize: F.Size1d,
    private readonly options: LayerOptions<F.MaxPool1dOptions> = {},
  ) {
    super();
    checkOptionNames("MaxPool1d", options, MAX_POOL);
  }

  forward(x: Tensor): Tensor {
    return F.maxPool1d(x, this.kernelSize, this.options);
  }
}

/**
 * Largest element of each window; see `F.maxPool2d`.
 *
 * @shape `[n, c, h, w] -> [n, c, oh, ow]`, also without the batch
 * @see torch.nn.MaxPool2d
 */
export class MaxPool2d extends Module {
  constructor(
    private readonly kernelSize: F.Size2d,
    private readonly options: LayerOptions<F.MaxPool2dOptions> = {},
  ) {
    super();
    checkOptionNames("MaxPool2d", options, MAX_POOL);
  }

  forward(x: Tensor): Tensor {
    return F.maxPool2d(x, this.kernelSize, this.options);
  }
}

/**
 * Mean of each window; see `F.avgPool1d`.
 *
 * @shape `[n, c, l] -> [n, c, ol]`, also without the batch
 * @see torch.nn.AvgPool1d
 */
export class AvgPool1d extends Module {
  constructor(
    private readonly kernelSize: F.Size1d,
    private readonly options: F.AvgPool1dOptions = {},
  ) {
    super();
    checkOptionNames("AvgPool1d", options, AVG_POOL);
  }

  forward(x: Tensor): Tensor {
    return F.avgPool1d(x, this.kernelSize, this.options);
  }
}

/**
 * Mean of each window; see `F.avgPool2d`.
 *
 * @shape `[n, c, h, w] -> [n, c, oh, ow]`, also without the batch
 * @see torch.nn.AvgPool2d
 */
export class AvgPool2d extends Module {
  constructor(
    private readonly kernelSize: F.Size2d,
    private readonly options: F.AvgPool2dOptions = {},
  ) {
    super();
    checkOptionNames("AvgPool2d", options, [...AVG_POOL, "divisorOverride"]);
  }

  forward(x: Tensor): Tensor {
    return F.avgPool2d(x, this.kernelSize, this.options);
  }
}

/**
 * `(sum of x ^ normType) ^ (1 / normType)` of each window; see `F.lpPool1d`.
 *
 * @shape `[n, c, l] -> [n, c, ol]`, also without the batch
 * @see torch.nn.LPPool1d
 */
export class LPPool1d extends Module {
  constructor(
    private readonly normType: number,
    private readonly kernelSize: F.Size1d,
    private readonly options: F.LPPool1dOptions = {},
  ) {
    super();
    checkOptionNames("LPPool1d", options, ["stride", "ceilMode"]);
  }

  forward(x: Tensor): Tensor {
    return F.lpPool1d(x, this.normType, this.kernelSize, this.options);
  }
}

/**
 * `(sum of x ^ normType) ^ (1 / normType)` of each window; see `F.lpPool2d`.
 *
 * @shape `[n, c, h, w] -> [n, c, oh, ow]`, also without the batch
 * @see torch.nn.LPPool2d
 */
export class LPPool2d extends Module {
  constructor(
    private readonly normType: number,
    private readonly kernelSize: F.Size2d,
    private readonly options: F.LPPool2dOptions = {},
  ) {
    super();
    checkOptionNames("LPPool2d", options, ["stride", "ceilMode"]);
  }

  forward(x: Tensor): Tensor {
    return F.lpPool2d(x, this.normType, this.kernelSize, this.options);
  }
}

/**
 * Largest element of windows chosen so that the output has `outputSize`; null keeps the input's size.
 *
 * @shape `[n, c, l] -> [n, c, outputSize]`, also without the batch
 * @see torch.nn.AdaptiveMaxPool1d
 */
export class AdaptiveMaxPool1d extends Module {
  constructor(private readonly outputSize: F.OutputSize1d) {
    super();
  }

  forward(x: Tensor): Tensor {
    return F.adaptiveMaxPool1d(x, this.outputSize);
  }
}

/**
 * Largest element of windows chosen so that the output has `outputSize`; null keeps the input's size.
 *
 * @shape `[n, c, h, w] -> [n, c, ...outputSize]`, also without the batch
 * @see torch.nn.AdaptiveMaxPool2d
 */
export class AdaptiveMaxPool2d extends Module {
  constructor(private readonly outputSize: F.OutputSize2d) {
    super();
  }

  forward(x: Tensor): Tensor {
    return F.adaptiveMaxPool2d(x, this.outputSize);
  }
}

/**
 * Mean of windows chosen so that the output has `outputSize`; null keeps the input's size.
 *
 * @shape `[n, c, l] -> [n, c, outputSize]`, also without the batch
 * @see torch.nn.AdaptiveAvgPool1d
 */
export class AdaptiveAvgPool1d extends Module {
  constructor(private readonly outputSize: F.OutputSize1d) {
    super();
  }

  forward(x: Tensor): Tensor {
    return F.adaptiveAvgPool1d(x, this.outputSize);
  }
}

/**
 * Mean of windows chosen so that the output has `outputSize`; null keeps the input's size.
 *
 * @shape `[n, c, h, w] -> [n, c, ...outputSize]`, also without the batch
 * @see torch.nn.AdaptiveAvgPool2d
 */
export class AdaptiveAvgPool2d extends Module {
  constructor(private readonly outputSize: F.OutputSize2d) {
    super();
  }

  forward(x: Tensor): Tensor {
    return F.adaptiveAvgPool2d(x, this.outputSize);
  }
}
