/** The formula for tolerances: what it lets pass, and what not. */

import { describe, expect, test } from "vitest";
import { isFloat } from "../../src/graph/dtype";
import type { Node } from "../../src/graph/node";
import { topologicalOrder } from "../../src/graph/walk";
import * as ops from "../../src/ops";
import { allOps } from "../../src/ops/op";
import { build, Draw } from "../ops/case";
import { CASES } from "../ops/cases";
import {
  ACCURACY,
  type BoundOptions,
  boundsOf,
  boundsOfState,
  CAP,
  firstOff,
  IN_PLACE,
  isClose,
  RULES,
  widthOf,
  withGoldens,
} from "./tolerance";

const GPU: BoundOptions = { device: "webgpu", to: "exact" };
const ULP = 2 ** -23;

const leaf = (values: readonly number[]): Node => ops.fromHost(Float32Array.from(values), [values.length]);
const random = (shape: readonly number[], low = -2, high = 2): Node =>
  ops.fromHost(new Draw(shape.join()).uniform(shape, low, high).host.data, shape);

/** Bounds of one result, as parts of its values. */
function parts(node: Node, options = GPU): number[] {
  const { values, bounds } = boundsOf([node], options)[0]!;
  return [...bounds].map((bound, i) => bound / Math.abs(values[i]!));
}

describe("a bound", () => {
  test("is nothing for what moves, chooses or counts", () => {
    const x = random([3, 5]);
    const moved = ops.maximum(ops.neg(ops.flip(ops.transpose(x, 0, 1), [0])), ops.relu(ops.transpose(x, 0, 1)));
    expect(boundsOf([moved], GPU)[0]!.bounds.every((bound) => bound === 0)).toBe(true);
    expect(boundsOf([ops.argmax(x, 1)], GPU)[0]!.bounds.every((bound) => bound === 0)).toBe(true);
  });

  test("is an ULP for a sum on a GPU; what rounding does, for the CPU and the reference", () => {
    const sums = [Math.fround(1.1) + Math.fround(0.3), Math.fround(3.3) - Math.fround(7.7)];
    const x = ops.add(leaf([1.1, 3.3]), leaf([0.3, -7.7]));
    const halves = sums.map((sum) => Math.abs(Math.fround(sum) - sum));
    const close = (found: number[], want: number[]): void => found.forEach((part, i) => expect(part * Math.abs(sums[i]!)).toBeCloseTo(want[i]!, 12)); // prettier-ignore
    close(parts(x, { ...GPU, device: "cpu" }), halves);
    close(parts(x), sums.map((sum) => ULP * Math.abs(sum))); // prettier-ignore
    close(parts(x, { ...GPU, to: "reference" }), sums.map((sum, i) => ULP * Math.abs(sum) + halves[i]!)); // prettier-ignore
  });

  test("is nothing for sums that an f32 holds", () => {
    const x = ops.fromHost(
      Float32Array.from({ length: 1000 }, (_, i) => i),
      [1000],
    );
    const found = boundsOf([ops.sum(x), ops.add(leaf([1.5]), leaf([0.25])), ops.matmul(x, x)], GPU);
    const [sum, small, large] = found.map(({ bounds }) => bounds[0]!);
    expect([sum, small]).toEqual([0, 0]);
    expect(large).toBeGreaterThan(0); // 332,833,500
  });

  test("grows where digits cancel", () => {
    const x = leaf([1]);
    const tenth = ops.add(x, leaf([0.1]));
    const [part] = parts(ops.sub(tenth, x)); // an ULP of 1.1 in 0.1
    expect(part).toBeGreaterThan(10 * ULP);
    expect(part).toBeLessThan(15 * ULP);
  });

  test("grows with the slope of a function", () => {
    const [atOne, atTen] = parts(ops.exp(ops.mul(leaf([1, 10]), leaf([1.1, 1.1]))));
    expect(atTen! - atOne!).toBeCloseTo((11 - 1.1) * ULP, 6);
  });

  test("of a sum grows with its chunks and lanes, not with its length", () => {
    const of = (length: number): number => parts(ops.sum(random([length], 1, 2)))[0]! / ULP;
    expect(of(2)).toBeCloseTo(2, 6);
    expect(of(4096)).toBeLessThan(128);
    expect(of(65536)).toBeLessThan(512);
  });

  test("of a product grows with the square root of its inner size", () => {
    const of = (k: number): number => parts(ops.matmul(random([1, k], 1, 2), random([k, 1], 1, 2)))[0]! / ULP;
    expect(of(1)).toBeCloseTo(1, 4);
    expect(of(16)).toBeCloseTo(16, 4);
    expect(of(900)).toBeCloseTo(180, 4);
  });

  test("covers a number that was rounded on its way into the graph", () => {
    const x = leaf([1.1]);
    expect(parts(ops.mul(x, 0.3))[0]! - parts(ops.mul(x, 0.3), { ...GPU, to: "reference" })[0]!).toBeGreaterThan(0);
    expect(parts(ops.mul(x, 0.5))[0]).toBe(0);
    expect(parts(ops.mul(x, 0.3))[0]).toBeCloseTo(1.5 * ULP, 12);
  });

  test("covers a choice that an error may turn", () => {
    const almost = ops.sub(ops.add(leaf([1, 1]), leaf([0.1, 1])), leaf([1.1, 1.1]));
    const chosen = ops.where(ops.gt(almost, 0), leaf([1.0001, 1.0001]), leaf([1, 1]));
    const { bounds } = boundsOf([chosen], GPU)[0]!;
    expect(bounds[0]).toBeCloseTo(1e-4, 6);
    expect(bounds[1]).toBe(0);
  });

  test("covers numbers that a GPU may flush to 0, and only there", () => {
    const x = ops.mul(leaf([1e-40, 1e-30]), leaf([1, 1]));
    expect(parts(x)[0]).toBeGreaterThan(1);
    expect(parts(x)[1]).toBe(ULP);
    expect(parts(x, { ...GPU, device: "cpu" })[0]).toBeLessThan(1e-4);
  });

  test("is no wider than the cap", () => {
    const x = leaf([3]);
    const cancelled = ops.div(ops.sub(ops.mul(x, 0.1), ops.mul(x, 0.1)), leaf([1e-7]));
    const { bounds, values } = boundsOf([ops.add(cancelled, leaf([5]))], GPU)[0]!;
    expect(bounds[0]).toBe(CAP * values[0]!);
    expect(boundsOfState(Float32Array.of(1), { device: "webgpu", steps: 1e9 })[0]).toBe(2 * CAP);
  });

  test("says at which op it became wide", () => {
    const product = ops.matmul(random([3, 515]), random([515, 2]));
    expect(boundsOf([ops.tanh(product)], GPU)[0]!.because).toBe("matmul of 515 terms");
    expect(boundsOf([ops.exp(random([3]))], GPU)[0]!.because).toBe("");
  });
});

describe("what is refused", () => {
  /** A result with one element off by some bounds. */
  const moved = (node: Node, by: number): string | null => {
    const { values, bounds } = boundsOf([node], GPU)[0]!;
    const got = Float64Array.from(values);
    const at = bounds.indexOf(Math.max(...bounds));
    got[at]! += by * bounds[at]!;
    return firstOff(got, values, bounds);
  };

  test.each(["add", "exp", "sum", "prod", "matmul", "conv2d", "cumsum", "linearScan", "customVjp"])(
    "one element of %s off by three bounds",
    (op) => {
      let refused = 0;
      for (const opCase of CASES[op]!.filter(({ grad }) => grad)) {
        const { output } = build(opCase);
        if (!isFloat(output.dtype) || boundsOf([output], GPU)[0]!.bounds.every((bound) => bound === 0)) continue;
        expect(moved(output, 0.9), opCase.name).toBeNull();
        expect(moved(output, 3), opCase.name).not.toBeNull();
        refused++;
      }
      expect(refused).toBeGreaterThan(2);
    },
  );

  test("infinity and NaN for anything but themselves", () => {
    for (const want of [Infinity, -Infinity, NaN]) {
      for (const got of [Infinity, -Infinity, NaN, 0, 1, 3e38]) {
        expect(isClose(got, want, 1e-3), `${got} for ${want}`).toBe(Object.is(got, want));
      }
    }
    expect(isClose(Infinity, 1, Infinity)).toBe(true); // which no bound is
    expect(isClose(NaN, 1, 1e30)).toBe(false);
    const { bounds } = boundsOf([ops.mul(leaf([Infinity, NaN, 1e30]), leaf([2, 2, 1e30]))], GPU)[0]!;
    expect([...bounds]).toEqual([0, 0, 0]);
  });

  test("integers that are off by one", () => {
    const want = Int32Array.of(2 ** 30);
    const bounds = withGoldens(new Float64Array(1), want);
    expect(firstOff(Int32Array.of(2 ** 30 + 1), want, bounds)).not.toBeNull();
    expect(boundsOfState(want, { device: "webgpu", steps: 100 })[0]).toBe(0);
  });

  test("results of another length", () => {
    expect(firstOff(Float32Array.of(1), Float32Array.of(1, 2), [0, 0])).toBe("1 values for 2");
  });
});

test("width is measured by the largest value, up to 1000", () => {
  expect(widthOf(Float64Array.of(1e-6, 1e-6), Float32Array.of(8, 0))).toBe(1e-6 / 8);
  expect(widthOf(Float64Array.of(0, 1e-3), Float32Array.of(1e20, 0))).toBe(1e-6);
  expect(widthOf(Float64Array.of(1e15, 0), Float32Array.of(1e20, 0))).toBeCloseTo(1e-5, 12);
});

test("every op that makes floats has an accuracy or a rule", () => {
  const makesFloats = (op: string): boolean =>
    (CASES[op] ?? []).some((opCase) =>
      topologicalOrder([build(opCase).output]).some(({ op: { name }, dtype }) => name === op && isFloat(dtype)),
    );
  const missing = [...allOps().values()].flatMap(({ name, lowering }) => {
    if (IN_PLACE.includes(name) || !makesFloats(name)) return [];
    if (lowering.kind === "pointwise" && !(name in ACCURACY)) return [`${name}: add it to ACCURACY`];
    if (lowering.kind === "kernel" && !(name in RULES)) return [`${name}: add it to RULES`];
    return [];
  });
  expect(missing, "in tests/helpers/tolerance.ts").toEqual([]);
  const known = [...Object.keys(ACCURACY), ...Object.keys(RULES), ...IN_PLACE];
  expect(
    known.filter((name) => !allOps().has(name)),
    "no op has the name",
  ).toEqual([]);
});
