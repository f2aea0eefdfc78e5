/**
 * A variable is a piece of state with a history: every write gives it a new version. Graphs read a version, so the
 * runtime knows what each of them meant, in whatever order things come to run.
 */

import type { DType } from "../graph/dtype";
import { type DeviceStorage, Node, type VariableRef } from "../graph/node";
import { type Shape, sizeOf } from "../graph/shape";
import { variableOp } from "../ops/leaf";
import type { Arena } from "./arena";

let nextId = 0;

export class Variable implements VariableRef {
  readonly id = nextId++;
  /** Latest version in program order; writes that have not run yet count. */
  version = 0;
  /** Last version that was ever given to a write. */
  private given = 0;
  /** Version that the memory holds. */
  realizedVersion = 0;
  /** Memory of its own, where it lies in no arena. Made at the first write that runs. */
  storage: DeviceStorage | null = null;
  /** Number of the backend's submit that wrote it last: what came of that submit is known only later. */
  writtenIn = 0;
  /** The arena it lies in, and where, in elements. */
  home: { readonly arena: Arena; readonly offset: number } | null = null;
  private tracked = false;
  private leaf: Node | null = null;

  constructor(
    /** For messages and debug lines; modules give their parameters names. */
    public name: string,
    readonly shape: Shape,
    readonly dtype: DType,
  ) {}

  /** The version that a new write makes. One that is taken back is never given out again. */
  nextVersion(): number {
    return (this.version = ++this.given);
  }

  get size(): number {
    return sizeOf(this.shape);
  }

  /** Whether graphs that read it need gradients. */
  get requiresGrad(): boolean {
    return this.tracked;
  }

  set requiresGrad(value: boolean) {
    if (value !== this.tracked) this.leaf = null;
    this.tracked = value;
  }

  /** Whether a graph may have read the latest version. */
  isRead = false;

  /** The leaf that reads the latest version; one object a version, so gradients find it. */
  get node(): Node {
    this.isRead = true;
    return this.ownNode;
  }

  /** The same leaf, for the write that makes the next version out of this one: it does not count as a reader. */
  get ownNode(): Node {
    if (!this.leaf || this.leaf.version !== this.version) {
      this.leaf = new Node(variableOp, [], {}, this.shape, this.dtype, this.tracked);
      this.leaf.variable = this;
      this.leaf.version = this.version;
    }
    return this.leaf;
  }
}
