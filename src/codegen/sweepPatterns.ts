/**
 * Pairs of levels that software adapters make of one sweep: a sum and squares around what is made of it, as normalisation has them; a
 * maximum and exponentials around it, as softmax has them.
 */

import type { Node } from "../graph/node";
import { opOf } from "../ops/op";
import type { Fold } from "./fold";
import type { SweepSpec } from "./launch";

/** What a level folds. */
export function foldOf(node: Node): Fold {
  const { lowering } = opOf(node);
  return lowering.kind === "reduce" ? lowering.fold : "sum";
}

/** Whether a node repeats a value of each row along the row. */
export function isSpread(node: Node, { shape, layout }: SweepSpec): boolean {
  const [input] = node.inputs;
  if (node.op.name !== "expand" || node.shape.join() !== shape.join() || input!.shape.length !== shape.length)
    return false;
  const kept = layout.loops[0]!.shape.length;
  return input!.shape.every((size, dim) => size === (layout.axes[dim]!.terms[0]!.from < kept ? shape[dim] : 1));
}

/**
 * What squares are around, where the first two levels are a sum and one of squares around what is made of it, of the same numbers. It
 * need not be the mean.
 */
export function middleOfMoments(sweep: SweepSpec): Node | null {
  const pair = firstPair(sweep);
  if (!pair || foldOf(pair.first) !== "sum" || foldOf(pair.second) !== "sum") return null;
  const [square] = pair.second.inputs;
  return square!.op.name === "square" ? distanceTo(square!.inputs[0]!, pair.first.inputs[0]!, sweep) : null;
}

/** Exponentials that are summed, and what they are around. */
export interface Powers {
  readonly power: Node;
  readonly around: Node;
}

/**
 * The exponentials, where the first two levels are a maximum, and a sum of exponentials of the distance to it of the same numbers; to
 * something else where it is not finite.
 */
export function powersOf(sweep: SweepSpec): Powers | null {
  const pair = firstPair(sweep);
  if (!pair || foldOf(pair.first) !== "max" || foldOf(pair.second) !== "sum") return null;
  const [power] = pair.second.inputs;
  if (power!.op.name !== "exp" || power!.dtype !== "f32") return null;
  const around = distanceTo(power!.inputs[0]!, pair.first.inputs[0]!, sweep);
  return around && isMaximum(around, pair.first) ? { power: power!, around } : null;
}

/** What the sum of exponentials divides each of them into. */
export const sharesOf = (power: Node, sweep: SweepSpec): Node[] =>
  [...sweep.members.keys()].filter(
    ({ op, inputs: [of, by] }) =>
      op.name === "div" && of === power && isSpread(by!, sweep) && sourceOf(by!.inputs[0]!) === sweep.folds[1]![0],
  );

/** The folds of the first two levels, if they have one each. */
function firstPair({ folds }: SweepSpec): { readonly first: Node; readonly second: Node } | null {
  const [[first, ...others] = [], [second, ...more] = []] = folds;
  return first && second && others.length + more.length === 0 ? { first, second } : null;
}

/** What a node is the distance to, if it is that of `value` to a value of the row. */
function distanceTo(node: Node, value: Node, sweep: SweepSpec): Node | null {
  if (node.op.name !== "sub") return null;
  const [from, spread] = node.inputs;
  if (from !== value || !isSpread(spread!, sweep)) return null;
  const [row] = spread!.inputs;
  return sweep.members.get(row!)?.kind === "row" ? row! : null;
}

function isMaximum(row: Node, maximum: Node): boolean {
  const source = sourceOf(row);
  if (source === maximum) return true;
  const [isFinite, value] = source.inputs;
  return (
    source.op.name === "where" &&
    isFinite!.op.name === "isfinite" &&
    sourceOf(isFinite!.inputs[0]!) === maximum &&
    sourceOf(value!) === maximum
  );
}

/** What a value of a row is, under whichever shape. */
function sourceOf(node: Node): Node {
  let source = node;
  while (/^(alias|reshape)$/.test(opOf(source).lowering.kind)) source = source.inputs[0]!;
  return source;
}
