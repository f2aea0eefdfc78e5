/**
 * Every function and method with one argument that is wrong, as callers without types get them wrong: a typed error that names
 * it, or a result where the value means something. The valid calls are those of the goldens.
 */

import { describe, expect, test } from "vitest";
import * as flywheel from "../../src";
import { Buffer, FlywheelError, InternalError, ones, Tensor, zeros } from "../../src";
import { operandsOfGolden } from "../suites/calls";
import { openTestDevice } from "../suites/device";
import { goldenTensor } from "../suites/golden";
import { type GoldenCase, goldenCases } from "../suites/goldenCases";

await openTestDevice("cpu");

type Loose = (this: unknown, ...args: readonly unknown[]) => unknown;

const homes = {
  Tensor: Tensor.prototype as unknown as Readonly<Record<string, Loose | undefined>>,
  F: flywheel.F as unknown as Readonly<Record<string, Loose | undefined>>,
  flywheel: flywheel as unknown as Readonly<Record<string, Loose | undefined>>,
};

// --- what means something -------------------------------------------------------------------------------------------------

const words = (text: string): ReadonlySet<string> => new Set(text.split(/\s+/));

/** Functions that take a number, or a boolean, beside a tensor. */
const TAKES_NUMBERS = words(
  `add atan2 bitwiseAnd bitwiseLeftShift bitwiseOr bitwiseRightShift bitwiseXor clamp copysign div eq floorDivide fmax fmin fmod
  ge gt hypot index indexPut isclose ldexp le lerp logaddexp logaddexp2 logicalAnd logicalOr logicalXor lt maskedFill
  maximum minimum mul ne normal pow remainder repeatInterleave scatter searchsorted setAt sub trueDivide where xlogy allclose`,
);

/** Functions that take options in place of a number. */
const TAKES_OPTIONS = words("argsort");

/** Functions that do without some of their tensors. */
const TAKES_NOTHING = words(
  `batchNorm binaryCrossEntropy binaryCrossEntropyWithLogits bincount clamp conv1d conv2d convTranspose1d convTranspose2d
  crossEntropy diff groupNorm index instanceNorm layerNorm linear max min multilabelSoftMarginLoss nllLoss normal
  scaledDotProductAttention`,
);

/** Functions with arguments that may be any real number, or NaN. */
const TAKES_FRACTIONS = words(
  `addcdiv addcmul alphaDropout dropout dropout1d dropout2d addmm addmv addr batchNorm cdist celu clamp cosineEmbeddingLoss cosineSimilarity crossEntropy
  dist elu gaussianNllLoss groupNorm hardshrink hardtanh hingeEmbeddingLoss histc huberLoss indexFill infoNCE
  instanceNorm interpolate isclose layerNorm leakyRelu lerp logit lpPool1d lpPool2d marginRankingLoss maskedFill nanToNum
  nanquantile norm normalize pad pairwiseDistance poissonNllLoss pow quantile rrelu scatter smoothL1Loss softplus softshrink std
  threshold tripletMarginLoss var where fullLike`,
);

/** Names that errors have of functions: unfoldImages is how the goldens tell F.unfold from Tensor.unfold. */
const NAMED: Readonly<Record<string, string>> = { unfoldImages: "unfold" };

/** Goldens whose call is no plain one, and why. */
const SPECIAL: Readonly<Record<string, string>> = {
  T: "takes nothing",
  cast: "it is called to: see misuse.test.ts",
  mT: "takes nothing",
  trilIndices: "sizes are no list: the golden has them in one",
  triuIndices: "as trilIndices",
};

/** Valid calls of functions without goldens, or whose goldens make them in another way. */
const MORE: Readonly<Record<string, () => readonly unknown[]>> = {
  allclose: () => [ones([2]), ones([2])],
  alphaDropout: () => [ones([2]), { p: 0.5 }],
  batchNorm: () => [
    ones([2, 3]),
    new Buffer(zeros([3])),
    new Buffer(ones([3])),
    { weight: ones([3]), bias: zeros([3]), training: true, momentum: 0.3, eps: 0.1, groups: 1 },
  ],
  bernoulli: () => [ones([2])],
  dropout: () => [ones([2]), { p: 0.5 }],
  dropout1d: () => [ones([2, 3, 4]), { p: 0.5 }],
  dropout2d: () => [ones([2, 3, 4, 5]), { p: 0.5 }],
  equal: () => [ones([2]), ones([2])],
  expandAs: () => [ones([2]), ones([3, 2])],
  fullLike: () => [ones([2]), 1.5],
  matmul: () => [ones([2, 3]), ones([3, 2])],
  multinomial: () => [ones([2]), 1],
  normal: () => [ones([2]), ones([2])],
  onesLike: () => [ones([2])],
  randLike: () => [ones([2])],
  randintLike: () => [ones([2]), 0, 3],
  randnLike: () => [ones([2])],
  reshapeAs: () => [ones([2]), ones([2, 1])],
  viewAs: () => [ones([2]), ones([2, 1])],
  zerosLike: () => [ones([2])],
};

// --- what is wrong ----------------------------------------------------------------------------------------------------

/** What stands in an argument's place. `may`: it may mean something there, by a list's word or anyway, and else is an error as all others. */
interface Wrong {
  readonly value: unknown;
  readonly may: ReadonlySet<string> | boolean;
}

function wrongFor(op: string, value: unknown): Wrong[] {
  const must = (...values: readonly unknown[]): Wrong[] => values.map((each) => ({ value: each, may: false }));
  const may = (list: ReadonlySet<string> | true, ...values: readonly unknown[]): Wrong[] =>
    values.map((each) => ({ value: each, may: list === true || (list.has(op) && list) }));
  if (value instanceof Tensor) {
    return [...must("x", {}), ...may(TAKES_NUMBERS, 3), ...may(TAKES_NOTHING, undefined, null)];
  }
  if (typeof value === "number") {
    return [...must("1"), ...may(TAKES_FRACTIONS, NaN, 0.5), ...may(TAKES_OPTIONS, {}), ...may(true, null)];
  }
  if (typeof value === "boolean") return must("1", {});
  if (typeof value === "string") return [...must("1", {}), ...may(true, 3, null)];
  if (Array.isArray(value)) return [...must("1", {}, ["1"], [NaN], [0.5]), ...may(true, 3, null)];
  return [];
}

interface Way {
  readonly name: string;
  readonly args: readonly unknown[];
  call(args: readonly unknown[]): unknown;
}

/** How a function is called: as a method, as one of F, and as one of the package. */
function waysOf(op: string, args: readonly unknown[]): Way[] {
  const {
    Tensor: method,
    F: functional,
    flywheel: free,
  } = {
    Tensor: homes.Tensor[op],
    F: homes.F[op],
    flywheel: homes.flywheel[op],
  };
  return [
    ...(method
      ? [{ name: `Tensor.${op}`, args, call: ([x, ...rest]: readonly unknown[]) => method.apply(x, rest) }]
      : []),
    ...(functional ? [{ name: `F.${op}`, args, call: (all: readonly unknown[]) => functional(...all) }] : []),
    ...(free ? [{ name: op, args, call: (all: readonly unknown[]) => free(...all) }] : []),
  ];
}

/** One call for each pattern of inputs and args that the goldens of an op have. */
function callsOf(op: string): Way[] {
  const more = MORE[op];
  if (more) return waysOf(op, more());
  const patterns = new Map<string, GoldenCase>();
  for (const golden of goldenCases) {
    if (golden.op !== op || golden.output.shape.includes(0)) continue;
    const args = Object.entries(golden.args).map(
      ([name, value]) => `${name} ${Array.isArray(value) ? "list" : typeof value}`,
    );
    patterns.set(JSON.stringify([golden.inputs.map((input) => input !== null), args.sort()]), golden);
  }
  return [...patterns.values()].flatMap((golden) => {
    const inputs = golden.inputs.map((input) => {
      if (input === null) return null;
      return input.permute ? goldenTensor(input).permute(input.permute) : goldenTensor(input);
    });
    const { operands, call } = operandsOfGolden(op, inputs as Tensor[], golden.args);
    return call ? [{ name: op, args: operands, call }] : waysOf(op, operands);
  });
}

/** All calls that differ from a valid one in one argument, or one option. */
function* wrongCalls(
  op: string,
  { name, args }: Way,
): Generator<{ what: string; args: readonly unknown[]; may: Wrong["may"] }> {
  for (const [place, value] of args.entries()) {
    // `this` is a tensor
    if (place === 0 && name.startsWith("Tensor.")) continue;
    for (const wrong of wrongFor(op, value)) {
      yield { what: `argument ${place} is ${show(wrong.value)}`, args: args.with(place, wrong.value), may: wrong.may };
    }
    if (typeof value !== "object" || value === null || Array.isArray(value) || value instanceof Tensor) continue;
    yield { what: "an option is unknown", args: args.with(place, { ...value, unknown: 1 }), may: false };
    for (const [option, given] of Object.entries(value)) {
      for (const wrong of wrongFor(op, given)) {
        const options = { ...value, [option]: wrong.value };
        yield { what: `${option} is ${show(wrong.value)}`, args: args.with(place, options), may: wrong.may };
      }
    }
  }
}

const show = (value: unknown): string =>
  typeof value === "number" ? String(value) : value === undefined ? "undefined" : JSON.stringify(value);

/** The words of each list that some call needed. */
const needed = new Map(
  [TAKES_NUMBERS, TAKES_NOTHING, TAKES_FRACTIONS, TAKES_OPTIONS].map((list) => [list, new Set<string>()]),
);

/** What is wrong with the answer; null if nothing is. */
async function complaint(op: string, act: () => unknown, may: Wrong["may"]): Promise<string | null> {
  try {
    await act();
    if (typeof may !== "boolean") needed.get(may)!.add(op);
    return may ? null : "gives a result";
  } catch (error) {
    if (!(error instanceof FlywheelError) || error instanceof InternalError) return String(error);
    return error.message.startsWith(`${NAMED[op] ?? op}: `) ? null : error.message;
  }
}

// --- all of them -------------------------------------------------------------------------------------------------------

const ops = [...new Set([...goldenCases.map(({ op }) => op), ...Object.keys(MORE)])].filter((op) => !(op in SPECIAL));

describe("a wrong argument is an error that names the function", () => {
  test.each(ops)("%s", async (op) => {
    const complaints: string[] = [];
    for (const way of callsOf(op)) {
      for (const { what, args, may } of wrongCalls(op, way)) {
        const found = await complaint(op, () => way.call(args), may);
        if (found !== null) complaints.push(`${way.name}, where ${what}: ${found}`);
      }
    }
    expect(complaints).toEqual([]);
  });
});

test("every exception is needed", () => {
  for (const [list, used] of needed) expect([...list].filter((op) => !used.has(op))).toEqual([]);
});

test("every function of F is called", () => {
  expect(Object.keys(flywheel.F).filter((name) => !ops.includes(name))).toEqual([]);
});
