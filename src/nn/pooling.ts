/** Pooling layers; see the functions of the same names. */

import * as F from "../functional";
import { checkOptionNames } from "../options";
import type { Tensor } from "../tensor";
import { Module } from "./module";
import { shown } from "./shown";

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

  override extraRepr(): string {
    return shown({ kernelSize: this.kernelSize, ...this.options });
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

  override extraRepr(): string {
    return shown({ kernelSize: this.kernelSize, ...this.options });
  }

  forward(x: Tensor): Tensor {
    return F.maxPool2d(x, this.kernelSize, this.options);
  }
}

/**
 * Maxima back where they were before a `MaxPool1d`, all else 0; see `F.maxUnpool1d`.
 *
 * @shape `[n, c, l] -> [n, c, ol]`, also without the batch
 * @see torch.nn.MaxUnpool1d
 */
export class MaxUnpool1d extends Module {
  constructor(
    private readonly kernelSize: F.Size1d,
    private readonly options: Omit<F.MaxUnpool1dOptions, "outputSize"> = {},
  ) {
    super();
    checkOptionNames("MaxUnpool1d", options, ["stride", "padding"]);
  }

  override extraRepr(): string {
    return shown({ kernelSize: this.kernelSize, ...this.options });
  }

  /** @param outputSize of what was pooled, where several sizes give the same */
  forward(x: Tensor, indices: Tensor, outputSize: F.Size1d | null = null): Tensor {
    return F.maxUnpool1d(x, indices, this.kernelSize, { ...this.options, outputSize });
  }
}

/**
 * Maxima back where they were before a `MaxPool2d`, all else 0; see `F.maxUnpool2d`.
 *
 * @shape `[n, c, h, w] -> [n, c, oh, ow]`, also without the batch
 * @see torch.nn.MaxUnpool2d
 */
export class MaxUnpool2d extends Module {
  constructor(
    private readonly kernelSize: F.Size2d,
    private readonly options: Omit<F.MaxUnpool2dOptions, "outputSize"> = {},
  ) {
    super();
    checkOptionNames("MaxUnpool2d", options, ["stride", "padding"]);
  }

  override extraRepr(): string {
    return shown({ kernelSize: this.kernelSize, ...this.options });
  }

  /** @param outputSize of what was pooled, where several sizes give the same */
  forward(x: Tensor, indices: Tensor, outputSize: F.Size2d | null = null): Tensor {
    return F.maxUnpool2d(x, indices, this.kernelSize, { ...this.options, outputSize });
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

  override extraRepr(): string {
    return shown({ kernelSize: this.kernelSize, ...this.options });
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

  override extraRepr(): string {
    return shown({ kernelSize: this.kernelSize, ...this.options });
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

  override extraRepr(): string {
    return shown({ normType: this.normType, kernelSize: this.kernelSize, ...this.options });
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

  override extraRepr(): string {
    return shown({ normType: this.normType, kernelSize: this.kernelSize, ...this.options });
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

  override extraRepr(): string {
    return shown({ outputSize: this.outputSize });
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

  override extraRepr(): string {
    return shown({ outputSize: this.outputSize });
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

  override extraRepr(): string {
    return shown({ outputSize: this.outputSize });
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

  override extraRepr(): string {
    return shown({ outputSize: this.outputSize });
  }

  forward(x: Tensor): Tensor {
    return F.adaptiveAvgPool2d(x, this.outputSize);
  }
}
