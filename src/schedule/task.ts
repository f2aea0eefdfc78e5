/** What the scheduler is given: writes to state and wanted values. The runtime's programs have this shape. */

import type { Node, VariableRef } from "../graph/node";

export interface AssignTask {
  readonly kind: "assign";
  readonly variable: VariableRef;
  readonly version: number;
  readonly value: Node;
  readonly start: Node | null;
}

export interface UpdateTask {
  readonly kind: "update";
  readonly node: Node;
  readonly reads: readonly { readonly variable: VariableRef; readonly version: number }[];
  readonly writes: readonly { readonly variable: VariableRef; readonly version: number }[];
}

export interface OutputTask {
  readonly node: Node;
  readonly want: "resident" | "scalar" | "read";
}

export interface Task {
  readonly effects: readonly (AssignTask | UpdateTask)[];
  readonly outputs: readonly OutputTask[];
  /** Identity of the buffer that a variable lies in; variables of one arena share it. */
  bufferOf(variable: VariableRef): unknown;
}
