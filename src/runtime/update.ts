/**
 * Arena updates as effects: an op that rewrites whole arenas in place, with the versions it reads and makes. Momentum SGD and
 * the EMA of the key encoder that follows it become one.
 */

import { InternalError } from "../errors";
import { allocateHost, type DType } from "../graph/dtype";
import type { Attrs, Node } from "../graph/node";
import { fromHost } from "../ops/leaf";
import { apply, type Op } from "../ops/op";
import { emaOp, momentumSgdEmaOp, momentumSgdOp, type SgdAttrs } from "../ops/update";
import { Arena } from "./arena";
import type { UpdateEffect } from "./program";
import { Variable } from "./variable";

/** Groups in the uniforms of the update shaders. */
export const MAX_GROUPS = 32;

const variablesOf = (variable: Variable): readonly Variable[] =>
  variable instanceof Arena ? variable.members : [variable];

/**
 * `op` applied to arenas, other variables and tables.
 *
 * @param written those of the operands that it writes
 */
export function updateEffect<A extends Attrs>(
  op: Op<A>,
  operands: readonly (Variable | Node)[],
  attrs: A,
  written: readonly Variable[],
): UpdateEffect {
  const inputs = operands.map((operand) => (operand instanceof Variable ? operand.ownNode : operand));
  const node = apply(op, inputs, attrs);
  const reads = operands
    .flatMap((operand) => (operand instanceof Variable ? variablesOf(operand) : []))
    .map((variable) => ({ variable, version: variable.version }));
  const writes = written.flatMap(variablesOf).map((variable) => ({ variable, version: variable.nextVersion() }));
  return { kind: "update", node, reads, writes };
}

/** Numbers for an update: computed in f64, they are rounded to the dtype of the arenas once. */
export function floatTable(values: readonly number[], dtype: DType): Node {
  const data = allocateHost(dtype, values.length);
  data.set(values);
  return fromHost(data, [data.length], dtype);
}

/** Groups' settings, `size` numbers a group, with room for as many groups as the shaders' uniforms hold. */
export function groupTable(groups: readonly (readonly number[])[], size: number, dtype: DType): Node {
  if (groups.length > MAX_GROUPS)
    throw new InternalError(`update: a table holds ${MAX_GROUPS} groups, got ${groups.length}.`);
  const unused = new Array<number>((MAX_GROUPS - groups.length) * size).fill(0);
  return floatTable([...groups.flat(), ...unused], dtype);
}

/** An SGD step and the EMA that follows it on the same parameters, as one dispatch; null where they are not that. */
export function fuseUpdates(first: UpdateEffect, second: UpdateEffect): UpdateEffect | null {
  if (first.node.op !== momentumSgdOp || second.node.op !== emaOp) return null;
  const [param, grad, momentum, blocks, segments, groups] = first.node.inputs;
  const [emaParam, key, coefficients] = second.node.inputs;
  if (param!.variable !== emaParam!.variable) return null;
  const node = apply(
    momentumSgdEmaOp,
    [param!, grad!, momentum!, key!, blocks!, segments!, groups!, coefficients!],
    first.node.attrs as SgdAttrs,
  );
  const made = new Set(first.writes.map(({ variable }) => variable));
  const reads = [...first.reads, ...second.reads.filter(({ variable }) => !made.has(variable))];
  return { kind: "update", node, reads, writes: [...first.writes, ...second.writes] };
}
