/** Layers that put something around signals and images; see `F.pad`. */

import { ValueError } from "../errors";
import * as F from "../functional";
import type { Tensor } from "../tensor";
import { Module } from "./module";
import { shown } from "./shown";

/** Elements on both sides, or `[left, right]`. */
export type Padding1d = number | readonly [left: number, right: number];
/** Elements on all sides, or `[left, right, top, bottom]`. */
export type Padding2d = number | readonly [left: number, right: number, top: number, bottom: number];

/** What the layers share: how much, and what. */
abstract class Padding extends Module {
  private readonly padding: readonly number[];

  constructor(
    layer: string,
    padding: number | readonly number[],
    sides: 2 | 4,
    private readonly options: F.PadOptions,
  ) {
    super();
    this.padding = typeof padding === "number" ? new Array<number>(sides).fill(padding) : padding;
    if (this.padding.length === sides && this.padding.every(Number.isInteger)) return;
    throw new ValueError(
      `${layer}: padding must be one or ${sides} integers, got ${JSON.stringify(padding)}. List before and after of the last dimension first.`,
    );
  }

  override extraRepr(): string {
    return shown({ padding: this.padding, ...this.options });
  }

  forward(x: Tensor): Tensor {
    return F.pad(x, this.padding, this.options);
  }
}

/**
 * A constant around signals.
 *
 * @shape `[..., l] -> [..., left + l + right]`
 * @see torch.nn.ConstantPad1d
 */
export class ConstantPad1d extends Padding {
  constructor(padding: Padding1d, value: number) {
    super("ConstantPad1d", padding, 2, { value });
  }
}

/**
 * A constant around images.
 *
 * @shape `[..., h, w] -> [..., top + h + bottom, left + w + right]`
 * @see torch.nn.ConstantPad2d
 */
export class ConstantPad2d extends Padding {
  constructor(padding: Padding2d, value: number) {
    super("ConstantPad2d", padding, 4, { value });
  }
}

/**
 * Zeros around images.
 *
 * @shape `[..., h, w] -> [..., top + h + bottom, left + w + right]`
 * @see torch.nn.ZeroPad2d
 */
export class ZeroPad2d extends Padding {
  constructor(padding: Padding2d) {
    super("ZeroPad2d", padding, 4, {});
  }
}

/**
 * Signals mirrored at their ends, which are not repeated.
 *
 * @shape `[..., l] -> [..., left + l + right]`
 * @see torch.nn.ReflectionPad1d
 */
export class ReflectionPad1d extends Padding {
  constructor(padding: Padding1d) {
    super("ReflectionPad1d", padding, 2, { mode: "reflect" });
  }
}

/**
 * Images mirrored at their edges, which are not repeated.
 *
 * @shape `[..., h, w] -> [..., top + h + bottom, left + w + right]`
 * @see torch.nn.ReflectionPad2d
 */
export class ReflectionPad2d extends Padding {
  constructor(padding: Padding2d) {
    super("ReflectionPad2d", padding, 4, { mode: "reflect" });
  }
}

/**
 * The ends of signals repeated.
 *
 * @shape `[..., l] -> [..., left + l + right]`
 * @see torch.nn.ReplicationPad1d
 */
export class ReplicationPad1d extends Padding {
  constructor(padding: Padding1d) {
    super("ReplicationPad1d", padding, 2, { mode: "replicate" });
  }
}

/**
 * The edges of images repeated.
 *
 * @shape `[..., h, w] -> [..., top + h + bottom, left + w + right]`
 * @see torch.nn.ReplicationPad2d
 */
export class ReplicationPad2d extends Padding {
  constructor(padding: Padding2d) {
    super("ReplicationPad2d", padding, 4, { mode: "replicate" });
  }
}
