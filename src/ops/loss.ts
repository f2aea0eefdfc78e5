/** Losses, composed of ops. Gradients follow from the ops', except where a closed form is shorter or more exact. */

import { DTypeError, IndexError, ShapeError, ValueError } from "../errors";
import { isFloat, isInteger, toFloatDType } from "../graph/dtype";
import type { Node } from "../graph/node";
import { broadcastShapes, sameShape, showShape, sizeOf } from "../graph/shape";
import { checkChoice } from "../options";
import { softplus } from "./activation";
import { abs, add, clamp, div, mul, neg, relu, square, sub, where } from "./arithmetic";
import { expand } from "./broadcast";
import { cast, toFloat } from "./cast";
import { customVjp, detach } from "./custom";
import { iota } from "./generate";
import { hostIntegers } from "./leaf";
import { eq, isfinite, logicalAnd, lt, ne } from "./logic";
import { wrapIndexOp } from "./lookup";
import { exp, log, log1p, sigmoid } from "./math";
import { mean } from "./moments";
import { apply } from "./op";
import { asF32, hasHalf, inF32ForAutocast } from "./precision";
import { amax, logSoftmax, sum } from "./reduce";
import { reshape, unsqueeze } from "./views";

/** `x` less its largest element along `dim`, so that exp cannot overflow; a row of -infinity stays as it is. */
function shifted(x: Node, dim: number): Node {
  const floats = toFloat(x);
  if (sizeOf(x.shape) === 0) return floats;
  const largest = amax(detach(floats), dim, true);
  return sub(floats, where(isfinite(largest), largest, 0));
}

/** What becomes of one loss per element. */
export type Reduction = "mean" | "sum" | "none";

export function reduceLoss(op: string, losses: Node, reduction: Reduction): Node {
  checkReduction(op, reduction);
  return reduction === "none" ? losses : reduction === "sum" ? sum(losses) : mean(losses);
}

const checkReduction = (op: string, reduction: string): void =>
  checkChoice(op, "reduction", reduction, ["mean", "sum", "none"]);

export interface NllOptions {
  /** One factor per class, `[classes]`. */
  readonly weight?: Node | null;
  /** Targets of this value count for nothing. */
  readonly ignoreIndex?: number;
  readonly reduction?: Reduction;
}

export interface CrossEntropyOptions extends NllOptions {
  /** The part of the target that is spread over all classes. */
  readonly labelSmoothing?: number;
}

/** Scores, the dimension of classes in them, and per target: which class it is, whether it counts, and how much. */
interface Targets {
  readonly dim: number;
  /** Shape of the scores: true at the target's class. */
  readonly isTarget: Node;
  /** Shape of the targets: false where ignored. */
  readonly isCounted: Node;
  /** Shape of the targets, float: 0 where ignored, NaN where there is no such class, else 1. */
  readonly counts: Node;
  /** Shape of the targets, float: 0 where ignored, NaN where there is no such class, else the weight of the class. */
  readonly weights: Node;
  /** Weight per class, in a shape that broadcasts to the scores. */
  readonly classWeight: Node | null;
}

function readTargets(
  op: string,
  scores: Node,
  target: Node,
  { weight = null, ignoreIndex = -100 }: NllOptions,
): Targets {
  const dim = scores.shape.length === 1 ? 0 : 1;
  const classes = scores.shape[dim] ?? 0;
  const expected = scores.shape.filter((_, d) => d !== dim);
  if (op === "crossEntropy" && scores.shape.length > 0 && sameShape(target.shape, scores.shape)) {
    throw new DTypeError(
      `crossEntropy: targets of the scores' shape are probabilities of the classes and must be floats, got ${target.dtype}. Cast them with .to("${scores.dtype}").`,
    );
  }
  if (scores.shape.length === 0 || !sameShape(target.shape, expected)) {
    throw new ShapeError(
      `${op}: targets must have the shape of the scores without classes, got ${showShape(target.shape)} for ${showShape(scores.shape)}. ` +
        "Scores are [n, classes, ...], targets [n, ...].",
    );
  }
  if (!isInteger(target.dtype)) {
    throw new DTypeError(`${op}: targets must be class indices, got ${target.dtype}. Cast them with .to("i32").`);
  }
  if (weight && !sameShape(weight.shape, [classes])) {
    throw new ShapeError(
      `${op}: weight must be [${classes}], got ${showShape(weight.shape)}. Give one factor per class.`,
    );
  }
  checkClasses(op, target, classes, ignoreIndex);
  const isCounted = ne(cast(target, "i32"), ignoreIndex);
  const index = placesOf(op, target, classes, isCounted);
  const ofClass = (node: Node): Node =>
    reshape(
      node,
      scores.shape.map((size, d) => (d === dim ? size : 1)),
    );
  const isTarget = logicalAnd(eq(unsqueeze(index, dim), ofClass(iota(classes))), unsqueeze(isCounted, dim));
  // what the host knows has been checked
  const orNaN = (node: Node): Node => (hostIntegers(target) ? node : where(lt(index, 0), NaN, node));
  const counts = orNaN(cast(isCounted, toFloatDType(scores.dtype)));
  const classWeight = weight && ofClass(weight);
  const weights = classWeight ? orNaN(sum(where(isTarget, classWeight, 0), dim)) : counts;
  return { dim, isTarget, isCounted, counts, weights, classWeight };
}

/**
 * The class of each target. What only the device knows is checked when it runs, on the CPU and in debug mode; on a GPU it is -1
 * where there is no such class. Ignored targets have class 0.
 */
function placesOf(op: string, target: Node, classes: number, isCounted: Node): Node {
  const index = cast(target, "i32");
  if (hostIntegers(target)) return index;
  return apply(wrapIndexOp, [where(isCounted, index, 0)], { op, low: 0, size: Math.max(1, classes) });
}

/** Targets that lie on the host are checked now, on the user's line. */
function checkClasses(op: string, target: Node, classes: number, ignoreIndex: number): void {
  const wrong = hostIntegers(target)?.find((index) => index !== ignoreIndex && (index < 0 || index >= classes));
  if (wrong === undefined) return;
  throw new IndexError(
    `${op}: targets must be in 0..${classes - 1} or ${ignoreIndex}, got ${wrong}. Check the labels.`,
  );
}

/** The weighted mean, the sum, or all of `losses`, which are weighted already and 0 where ignored: no gradient goes there. */
function reduceWeighted(losses: Node, weights: Node, reduction: Reduction): Node {
  if (reduction === "none") return losses;
  return reduction === "sum" ? sum(losses) : div(sum(losses), sum(weights));
}

/** `-weight[target] * x[target]`: of log probabilities. */
export function nllLoss(x: Node, target: Node, options: NllOptions = {}): Node {
  if (hasHalf(x)) {
    return inF32ForAutocast([x], (wide) =>
      nllLoss(wide, target, { ...options, weight: asF32(options.weight ?? null) }),
    );
  }
  const { reduction = "mean" } = options;
  checkReduction("nllLoss", reduction);
  const { dim, isTarget, isCounted, weights } = readTargets("nllLoss", x, target, options);
  const picked = sum(where(isTarget, x, 0), dim);
  return reduceWeighted(where(isCounted, neg(mul(weights, picked)), 0), weights, reduction);
}

/** `-weight[target] * log(softmax(x))[target]`. Targets are class indices, or float probabilities of the shape of `x`. */
export function crossEntropy(x: Node, target: Node, options: CrossEntropyOptions = {}): Node {
  if (hasHalf(x)) {
    const weight = asF32(options.weight ?? null);
    return inF32ForAutocast([x], (wide) => crossEntropy(wide, asF32(target), { ...options, weight }));
  }
  const { reduction = "mean", labelSmoothing = 0 } = options;
  checkReduction("crossEntropy", reduction);
  if (!(labelSmoothing >= 0 && labelSmoothing <= 1)) {
    throw new ValueError(`crossEntropy: labelSmoothing must be in [0, 1], got ${labelSmoothing}. Use 0 for none.`);
  }
  if (isFloat(target.dtype)) return probabilityLoss(x, target, options);
  const { dim, isTarget, isCounted, counts, weights, classWeight } = readTargets("crossEntropy", x, target, options);
  const s = shifted(x, dim);
  const logTotal = log(sum(exp(s), dim)); // -log(softmax) = logTotal - s
  const hard = mul(weights, sub(logTotal, sum(where(isTarget, s, 0), dim)));
  if (labelSmoothing === 0) return reduceWeighted(where(isCounted, hard, 0), weights, reduction);
  const all = sub(unsqueeze(logTotal, dim), s);
  const smooth = mul(counts, sum(classWeight ? mul(all, classWeight) : all, dim));
  const losses = add(mul(hard, 1 - labelSmoothing), mul(smooth, labelSmoothing / x.shape[dim]!));
  return reduceWeighted(where(isCounted, losses, 0), weights, reduction);
}

/** Cross-entropy with a whole distribution per sample. The mean is over samples, whatever the weights, as in PyTorch. */
function probabilityLoss(x: Node, target: Node, options: CrossEntropyOptions): Node {
  const { weight = null, reduction = "mean", labelSmoothing = 0, ignoreIndex = -100 } = options;
  if (ignoreIndex >= 0) {
    throw new ValueError(
      `crossEntropy: probabilities have no class to ignore, got ignoreIndex ${ignoreIndex}. Pass class indices, or leave it out.`,
    );
  }
  if (!sameShape(x.shape, target.shape) || x.shape.length === 0) {
    throw new ShapeError(
      `crossEntropy: probabilities must have the shape of the scores, got ${showShape(target.shape)} for ${showShape(x.shape)}. ` +
        'Class indices must be integers: cast them with .to("i32").',
    );
  }
  const dim = x.shape.length === 1 ? 0 : 1;
  const classes = x.shape[dim]!;
  const smoothed = labelSmoothing === 0 ? target : add(mul(target, 1 - labelSmoothing), labelSmoothing / classes);
  const weighted = weight
    ? mul(
        smoothed,
        reshape(
          weight,
          x.shape.map((size, d) => (d === dim ? size : 1)),
        ),
      )
    : smoothed;
  const losses = neg(sum(mul(weighted, logSoftmax(x, dim)), dim));
  return reduction === "mean" ? div(sum(losses), sizeOf(losses.shape)) : reduceLoss("crossEntropy", losses, reduction);
}

/** `d^2 / 2` for differences below `delta`, else `delta * (|d| - delta / 2)`. Squares see no difference that could overflow. */
export function huber(difference: Node, delta: number): Node {
  if (hasHalf(difference)) return inF32ForAutocast([difference], (wide) => huber(wide, delta));
  const distance = abs(difference);
  const isNear = lt(distance, delta);
  return where(isNear, mul(square(where(isNear, difference, 0)), 0.5), mul(sub(distance, 0.5 * delta), delta));
}

/** `y * (log(y) - x)`, 0 where `y` is 0. */
export function divergence(x: Node, y: Node): Node {
  if (hasHalf(x, y)) return inF32ForAutocast([x, y], divergence);
  const isNothing = eq(y, 0);
  const entropy = where(isNothing, 0, mul(y, log(where(isNothing, 1, y))));
  return sub(entropy, mul(y, x));
}

/**
 * `w log(1 + e^x) + (1 - y) x`, with logs of numbers near 1 only, `w = 1 + (posWeight - 1) y`: nothing large cancels. Its own
 * terms would have no gradient at 0.
 */
export function binaryCrossEntropyWithLogits(x: Node, y: Node, posWeight: Node | null = null): Node {
  if (hasHalf(x, y, posWeight)) return inF32ForAutocast([x, y, posWeight], binaryCrossEntropyWithLogits);
  const tail = log1p(exp(neg(abs(x)))); // log(1 + e^-|x|)
  if (!posWeight) {
    return customVjp(add(sub(relu(x), mul(x, y)), tail), [x, y], (gradOut, [scores, target]) => [
      mul(gradOut, sub(sigmoid(scores!), target!)),
      neg(mul(gradOut, scores!)),
    ]);
  }
  const shape = broadcastShapes("binaryCrossEntropyWithLogits", x.shape, posWeight.shape);
  const factor = (target: Node, weight: Node): Node => add(mul(sub(weight, 1), target), 1);
  const value = add(mul(sub(1, y), x), mul(factor(y, posWeight), add(tail, relu(neg(x)))));
  const inputs = [x, y, posWeight].map((input) => expand(input, shape));
  return customVjp(value, inputs, (gradOut, given) => {
    const [scores, target, weight] = given as [Node, Node, Node];
    const missed = softplus(neg(scores)); // log(1 + e^-x)
    return [
      mul(gradOut, sub(mul(sigmoid(scores), factor(target, weight)), mul(weight, target))),
      mul(gradOut, sub(mul(sub(weight, 1), missed), scores)),
      mul(gradOut, mul(target, missed)),
    ];
  });
}

/** `-(y log(x) + (1 - y) log(1 - x))`, logs being at least -100. */
export function binaryCrossEntropy(x: Node, y: Node): Node {
  if (hasHalf(x, y)) return inF32ForAutocast([x, y], binaryCrossEntropy);
  const logOf = (part: Node): Node => clamp(log(part), -100);
  const value = neg(add(mul(y, logOf(x)), mul(sub(1, y), logOf(sub(1, x)))));
  return customVjp(value, [x, y], (gradOut, [chance, target]) => [
    div(mul(gradOut, sub(chance!, target!)), clamp(mul(sub(1, chance!), chance!), 1e-12)),
    mul(gradOut, sub(log(sub(1, chance!)), log(chance!))),
  ]);
}
