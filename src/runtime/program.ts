/**
 * What a backend is asked to run at once: writes to state in program order, and values somebody wants.
 * Backends differ in how; what it means is fixed here.
 */

import type { TypedArray } from "../graph/dtype";
import type { Node } from "../graph/node";
import type { Task } from "../schedule/task";
import type { Arena } from "./arena";
import { Variable } from "./variable";

/** A variable at one of its versions. */
export interface Versioned {
  readonly variable: Variable;
  readonly version: number;
}

/** `variable = value`, or `variable[start .. start + rows of value] = value` where `start` (a u32 scalar, in rows) is given. */
export interface AssignEffect {
  readonly kind: "assign";
  readonly variable: Variable;
  /** The version that the write makes. */
  readonly version: number;
  /** The version before it, whose other rows a write of some rows keeps. */
  readonly previous: number;
  readonly value: Node;
  readonly start: Node | null;
  /** Whether a graph may have read the value that it overwrites: then it waits until it is needed. */
  readonly overwritesRead: boolean;
}

/** An op that rewrites whole arenas in place. */
export interface UpdateEffect {
  readonly kind: "update";
  /** Its inputs are `variable` leaves of the arenas, and tables. */
  readonly node: Node;
  readonly reads: readonly Versioned[];
  /** The versions that the update makes. */
  readonly writes: readonly Versioned[];
}

export type Effect = AssignEffect | UpdateEffect;

/** What becomes of a wanted value. */
export type Want =
  /** Stays on the device until the tensor is disposed of. */
  | "resident"
  /** Rank 0: goes to the scalar ring, to be read later or never. */
  | "scalar"
  /** Comes to the host. */
  | "read";

export interface Output {
  readonly node: Node;
  readonly want: Want;
}

export interface Program {
  readonly effects: readonly Effect[];
  readonly outputs: readonly Output[];
}

/** A device that runs programs. Effects and outputs are as if run one after the other, in order. */
export interface Backend {
  readonly kind: "cpu" | "webgpu";
  /**
   * Runs a program: at most one submit. Values wanted as `resident` or `scalar` are on their nodes when it returns.
   * @returns the values wanted as `read`, in order
   */
  run(program: Program): Promise<TypedArray[]>;
  /** Whether it still has the plan of a key (see `planKey`). Devices that cannot run programs again have none. */
  hasPlan?(key: string): boolean;
  /** Runs a program of a known plan, reads excepted: its graph is not looked at, only effects, outputs and leaves are. */
  rerun?(key: string, program: Program, leaves: readonly Node[]): void;
  /** Gives a variable zeroed memory, of its own or its arena's. Does nothing where it has some. */
  allocate(variable: Variable): void;
  /** Moves variables into an arena that has just been made; the values move with them. */
  adopt(arena: Arena): void;
  /** Frees what a node or variable holds. */
  free(holder: { storage: Node["storage"] }): void;
  /** Uploads host data so that it stays on the device. */
  upload(node: Node): void;
  /** Bytes live on the device, what is pooled for reuse included. */
  readonly liveByteLength: number;
}

/** Variables that an effect writes, with the versions it makes. */
export const writesOf = (effect: Effect): readonly Versioned[] =>
  effect.kind === "update" ? effect.writes : [{ variable: effect.variable, version: effect.version }];

/** Graph nodes that an effect computes from. */
export const rootsOf = (effect: Effect): readonly Node[] =>
  effect.kind === "update" ? [effect.node] : effect.start ? [effect.value, effect.start] : [effect.value];

/** A program as the schedule sees it. */
export const taskOf = (program: Program): Task => ({
  ...program,
  bufferOf: (variable) => (variable instanceof Variable ? bufferOf(variable) : variable),
});

/** Identity of the buffer that a variable lies in. */
const bufferOf = (variable: Variable): unknown => variable.home?.arena ?? variable;
