/** Layers of sliding windows as columns; see `F.unfold` and `F.fold`. */

import * as F from "../functional";
import { checkOptionNames } from "../options";
import type { Tensor } from "../tensor";
import { Module } from "./module";
import { shown } from "./shown";

const WINDOW_OPTIONS = ["dilation", "padding", "stride"];

/**
 * Windows of images as columns.
 *
 * @shape `[n, c, h, w] -> [n, c * kh * kw, windows]`, also without the batch
 * @see torch.nn.Unfold
 */
export class Unfold extends Module {
  constructor(
    private readonly kernelSize: F.Size2d,
    private readonly options: F.WindowOptions = {},
  ) {
    super();
    checkOptionNames("Unfold", options, WINDOW_OPTIONS);
  }

  override extraRepr(): string {
    return shown({ kernelSize: this.kernelSize, ...this.options });
  }

  forward(x: Tensor): Tensor {
    return F.unfold(x, this.kernelSize, this.options);
  }
}

/**
 * Columns added up where their windows lie: the transpose of `Unfold`.
 *
 * @shape `[n, c * kh * kw, windows] -> [n, c, ...outputSize]`, also without the batch
 * @see torch.nn.Fold
 */
export class Fold extends Module {
  constructor(
    private readonly outputSize: F.Size2d,
    private readonly kernelSize: F.Size2d,
    private readonly options: F.WindowOptions = {},
  ) {
    super();
    checkOptionNames("Fold", options, WINDOW_OPTIONS);
  }

  override extraRepr(): string {
    return shown({ outputSize: this.outputSize, kernelSize: this.kernelSize, ...this.options });
  }

  forward(x: Tensor): Tensor {
    return F.fold(x, this.outputSize, this.kernelSize, this.options);
  }
}
