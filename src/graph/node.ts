/**
 * A node is one use of an op: its inputs, attributes, shape and dtype. Nodes are lazy and immutable in meaning;
 * the only things that change are where their value lies once it has been computed.
 */

import type { DType, TypedArray } from "./dtype";
import { originHere } from "./origin";
import { currentRegion } from "./region";
import type { Shape } from "./shape";

/** Static facts of a node that are not inputs: dims, sizes, names. JSON, since plans are found by their text. */
export type Attrs = Readonly<Record<string, unknown>>;

/** All that the graph knows of an op; `ops/` adds its meaning. */
export interface OpRef {
  readonly name: string;
}

/** Memory on a device that holds a node's value. Only the device's backend knows what it is. */
export interface DeviceStorage {
  readonly byteLength: number;
}

/** State that a `variable` node reads; see `runtime/variable`. */
export interface VariableRef {
  readonly id: number;
  readonly name: string;
  readonly shape: Shape;
  readonly dtype: DType;
}

const signatures = new Map<string, number>();

function internSignature(text: string): number {
  let id = signatures.get(text);
  if (id === undefined) signatures.set(text, (id = signatures.size));
  return id;
}

let nextId = 0;

/** What the next node's id will be: all nodes made from now on have this or a greater one. */
export const nextNodeId = (): number => nextId;

export class Node {
  /** Greater than the inputs': sorted by it, nodes are in the order in which they were made. */
  readonly id = nextId++;
  /** Small integer that equal (op, attrs, dtype, shape) share; plans are found by it. */
  readonly signature: number;
  /** The value on the host, once there. For leaves made from host data, from the start. */
  hostData: TypedArray | null = null;
  /** The value on the device, where something outlives the plan that computed it. */
  storage: DeviceStorage | null = null;
  /** For `variable` nodes: what is read, and the version that was current when it was read. */
  variable: VariableRef | null = null;
  version = 0;
  /** Where the backward pass computes the value again, rather than holding it. */
  readonly region = currentRegion();
  /** Where it was made, while somebody looks for anomalies. */
  readonly origin = originHere();
  /** True once the inputs were dropped: the value stays. */
  released = false;
  /** True once inputs that require gradients were dropped: gradients cannot go further. */
  historyLost = false;

  constructor(
    readonly op: OpRef,
    public inputs: readonly Node[],
    readonly attrs: Attrs,
    readonly shape: Shape,
    readonly dtype: DType,
    readonly requiresGrad: boolean,
  ) {
    this.signature = internSignature(`${op.name}|${JSON.stringify(attrs)}|${dtype}|${shape.join(",")}`);
  }

  /** Whether the value is at hand without computing anything. */
  get hasValue(): boolean {
    return this.hostData !== null || this.storage !== null || this.variable !== null;
  }

  /** Drops the history: memory of earlier steps must not hang on a value that is already there. */
  release(): void {
    if (this.inputs.length === 0) return;
    this.historyLost = this.inputs.some((input) => input.requiresGrad);
    this.inputs = [];
    this.released = true;
  }
}
