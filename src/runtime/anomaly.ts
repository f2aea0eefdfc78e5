/** Looks for NaN in the values of a program that a user can see, and says which came first and where it was made. */

import { AnomalyError } from "../errors";
import { isFloat, type TypedArray } from "../graph/dtype";
import type { Node } from "../graph/node";
import { callSite, roleOf } from "../graph/origin";
import { coordinatesOf, showShape, sizeOf } from "../graph/shape";
import { topologicalOrder } from "../graph/walk";
import { Arena } from "./arena";
import { type Program, rootsOf } from "./program";

/** Values of a program to look at, in the order in which they were made: leaves, results of calls, gradients. */
export function valuesToCheck({ effects, outputs }: Program): Node[] {
  const roots = [...effects.flatMap(rootsOf), ...outputs.map(({ node }) => node)];
  // scalars are numbers that ops compute with: a NaN among them may be there to be chosen or not
  // what has an origin but no role was made in an earlier search, which looked at it
  const isGiven = (node: Node): boolean =>
    node.hasValue && node.op.name !== "scalar" && (node.origin === null || node.variable !== null);
  const isSeen = (node: Node): boolean => roleOf(node) !== undefined || isGiven(node);
  const isNumbers = ({ dtype, shape, variable }: Node): boolean =>
    isFloat(dtype) && sizeOf(shape) > 0 && !(variable instanceof Arena);
  return topologicalOrder(roots, (node) => node.hasValue)
    .filter((node) => isSeen(node) && isNumbers(node))
    .sort((a, b) => a.id - b.id);
}

/** @throws AnomalyError for the first of `nodes` that has a NaN */
export function checkValues(nodes: readonly Node[], values: readonly TypedArray[]): void {
  nodes.forEach((node, i) => {
    const index = values[i]!.findIndex(Number.isNaN);
    if (index >= 0) throw anomalyAt(node, index);
  });
}

function anomalyAt(node: Node, index: number): AnomalyError {
  const role = roleOf(node);
  const at = `${showShape(coordinatesOf(index, node.shape))} of ${showShape(node.shape)}`;
  if (role?.kind === "gradient") {
    const { of, input } = role;
    return new AnomalyError(
      `detectAnomaly: gradients must have no NaN, got one at ${at}, in the gradient of ${input === null ? "the result" : `input ${input}`} ` +
        `of ${madeBy(of)}. Keep its inputs away from where its derivative has no value.`,
      { op: of.op.name, phase: "backward", stackOfOp: of.origin?.stack ?? null },
    );
  }
  const name = nameOfLeaf(node);
  return new AnomalyError(
    `detectAnomaly: values must have no NaN, got one at ${at}, in ${name ?? madeBy(node)}. ` +
      (name === null ? "Its inputs have none: look at their range." : "It was given so: look at where it comes from."),
    { op: name ?? node.op.name, phase: "forward", stackOfOp: node.origin?.stack ?? null },
  );
}

/** What a value is called that this program does not compute; null for one that it does. */
function nameOfLeaf(node: Node): string | null {
  if (node.variable) return node.variable.name || "a parameter or buffer";
  return node.op.name === "data" ? `the data of a tensor${placeOf(node)}` : null;
}

/** `, made at file.ts:12:5`, where that is known. */
function placeOf({ origin }: Pick<Node, "origin">): string {
  if (!origin) return "";
  return `, made at ${callSite(origin.stack).place ?? "a line that error.stackOfOp names"}`;
}

/** `log, made at file.ts:12:5`, or `add in softplus, made at ...`. */
function madeBy({ op, origin }: Pick<Node, "op" | "origin">): string {
  if (!origin) return `${op.name}, made before anomalies were looked for`;
  const { called } = callSite(origin.stack);
  return `${called === null || called === op.name ? op.name : `${op.name} in ${called}`}${placeOf({ origin })}`;
}
