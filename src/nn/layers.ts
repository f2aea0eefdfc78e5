/** Layers without parameters, and Sequential. */

import { ValueError } from "../errors";
import * as F from "../functional";
import { describe } from "../options";
import type { Shape } from "../graph/shape";
import { checkTensors, type Tensor } from "../tensor";
import { checkKind, type Layer, Module } from "./module";
import { shown } from "./shown";

/** The input itself. @see torch.nn.Identity */
export class Identity extends Module {
  forward(x: Tensor): Tensor {
    return x;
  }
}

/**
 * Dimensions `startDim` (default 1) to `endDim` (default -1) joined to one.
 *
 * @shape `[n, a, b, ...] -> [n, a * b * ...]`
 * @see torch.nn.Flatten
 */
export class Flatten extends Module {
  constructor(
    private readonly startDim = 1,
    private readonly endDim = -1,
  ) {
    super();
  }

  override extraRepr(): string {
    return shown({ startDim: this.startDim, endDim: this.endDim });
  }

  forward(x: Tensor): Tensor {
    checkTensors("Flatten", x);
    return x.flatten(this.startDim, this.endDim);
  }
}

/**
 * Dimension `dim` as several, of which one size may be -1.
 *
 * @shape `[..., a * b, ...] -> [..., a, b, ...]`
 * @see torch.nn.Unflatten
 *
 * @example
 * const decoder = new nn.Sequential(new nn.Linear(8, 64), new nn.Unflatten(1, [4, 4, 4]), new nn.ConvTranspose2d(4, 1, 2));
 */
export class Unflatten extends Module {
  constructor(
    private readonly dim: number,
    private readonly unflattenedSize: Shape,
  ) {
    super();
  }

  override extraRepr(): string {
    return shown({ dim: this.dim, unflattenedSize: this.unflattenedSize });
  }

  forward(x: Tensor): Tensor {
    checkTensors("Unflatten", x);
    return x.unflatten(this.dim, this.unflattenedSize);
  }
}

/** What all kinds of dropout share: the probability. */
abstract class AnyDropout extends Module {
  constructor(readonly p = 0.5) {
    super();
    if (!(p >= 0 && p <= 1)) {
      throw new ValueError(
        `${this.constructor.name}: p must be in [0, 1], got ${describe(p)}. It is the probability of zeroing.`,
      );
    }
  }

  override extraRepr(): string {
    return `p=${this.p}`;
  }
}

/**
 * Zeroes elements with probability `p` (default 0.5) in training, and scales the others by `1 / (1 - p)`.
 *
 * @throws ValueError if `p` is not in [0, 1]
 * @see torch.nn.Dropout
 */
export class Dropout extends AnyDropout {
  forward(x: Tensor): Tensor {
    return F.dropout(x, { p: this.p, training: this.training });
  }
}

/** Zeroes whole channels of sequences; see `F.dropout1d`. @see torch.nn.Dropout1d */
export class Dropout1d extends AnyDropout {
  forward(x: Tensor): Tensor {
    return F.dropout1d(x, { p: this.p, training: this.training });
  }
}

/** Zeroes whole channels of images; see `F.dropout2d`. @see torch.nn.Dropout2d */
export class Dropout2d extends AnyDropout {
  forward(x: Tensor): Tensor {
    return F.dropout2d(x, { p: this.p, training: this.training });
  }
}

/** Dropout that keeps mean and variance behind SELU; see `F.alphaDropout`. @see torch.nn.AlphaDropout */
export class AlphaDropout extends AnyDropout {
  forward(x: Tensor): Tensor {
    return F.alphaDropout(x, { p: this.p, training: this.training });
  }
}

/**
 * Layers one after the other, named by their place: "0", "1", ...
 *
 * @throws DTypeError if something is no module: a list of them, say
 * @see torch.nn.Sequential
 *
 * @example
 * const mlp = new nn.Sequential(new nn.Linear(512, 512), new nn.ReLU(), new nn.Linear(512, 128));
 */
export class Sequential extends Module {
  private readonly layers: Layer[] = [];

  constructor(...layers: readonly Layer[]) {
    super();
    for (const layer of layers) this.append(layer);
  }

  /** Adds a layer at the end. Optimizers that are there already do not train it. @see torch.nn.Sequential.append */
  append(layer: Layer): this {
    checkKind("Sequential", "each layer", layer, Module);
    this.layers.push(layer);
    return this;
  }

  protected override members(): [string, Layer][] {
    return this.layers.map((layer, index) => [String(index), layer]);
  }

  /** Number of layers. */
  get length(): number {
    return this.layers.length;
  }

  /** The layer at a place; negative ones count from the back. */
  at(index: number): Layer | undefined {
    return this.layers.at(index);
  }

  [Symbol.iterator](): Iterator<Layer> {
    return this.layers[Symbol.iterator]();
  }

  forward(x: Tensor): Tensor {
    return this.layers.reduce((value, layer) => layer.forward(value), x);
  }
}
