import { describe, expect, test } from "vitest";
import { backward, gradients } from "../../src/autograd/backward";
import { AutogradError, ShapeError, StaleTensorError } from "../../src/errors";
import type { TypedArray } from "../../src/graph/dtype";
import { withGradMode } from "../../src/graph/gradMode";
import type { Node } from "../../src/graph/node";
import { topologicalOrder } from "../../src/graph/walk";
import * as ops from "../../src/ops";
import { interpret } from "../../src/reference/interpret";

const parameter = (...values: number[]): Node => ops.fromHost(Float32Array.from(values), [values.length], "f32", true);
const constant = (...values: number[]): Node => ops.fromHost(Float32Array.from(values), [values.length]);

const run = (node: Node | null): number[] =>
  node === null ? [] : [...(interpret([node], { leaf: (leaf) => leaf.hostData! }).get(node) as TypedArray)];

const gradientOf = (output: Node, target: Node): number[] => run(gradients(output, ops.onesLike(output), [target])[0]!);

describe("backward", () => {
  test("adds up what arrives on several ways", () => {
    const x = parameter(2, 3);
    expect(gradientOf(ops.add(ops.mul(x, x), ops.mul(x, 5)), x)).toEqual([9, 11]);
  });

  test("adds up several outputs, each with its gradient", () => {
    const x = parameter(2);
    const [grad] = backward([ops.mul(x, 3), ops.square(x)], [constant(10), constant(1)], [x]);
    expect(run(grad!)).toEqual([34]);
  });

  test("of the output itself is the gradient that came in", () => {
    const x = parameter(1);
    expect(run(gradients(x, constant(7), [x])[0]!)).toEqual([7]);
  });

  test("reaches nodes in the middle as well as leaves behind them", () => {
    const x = parameter(2);
    const middle = ops.mul(x, 3);
    const [ofMiddle, ofX] = gradients(ops.square(middle), constant(1), [middle, x]);
    expect([run(ofMiddle!), run(ofX!)]).toEqual([[12], [36]]);
  });

  test("is null for what the output does not depend on", () => {
    const [x, y] = [parameter(1), parameter(1)];
    expect(gradients(ops.neg(x), constant(1), [y])).toEqual([null]);
  });

  test("stops at detach and at constants", () => {
    const x = parameter(3);
    expect(gradientOf(ops.mul(ops.detach(x), x), x)).toEqual([3]);
  });

  test("sums over what was broadcast", () => {
    const x = parameter(1, 2);
    const output = ops.mul(ops.expand(ops.reshape(x, [2, 1]), [2, 3]), 2);
    expect(gradientOf(output, x)).toEqual([6, 6]);
  });

  test("can be differentiated again", () => {
    const x = parameter(2);
    const [first] = gradients(ops.pow(x, 3), constant(1), [x]);
    const [second] = gradients(first!, constant(1), [x]);
    expect([run(first!), run(second!), gradientOf(second!, x)]).toEqual([[12], [12], [6]]);
  });

  test("remembers nothing itself without grad mode", () => {
    const x = parameter(2);
    const output = ops.square(x);
    const [grad] = withGradMode(false, () => gradients(output, constant(1), [x]));
    expect(grad!.requiresGrad).toBe(false);
  });

  test("takes graphs deeper than the stack", () => {
    const x = parameter(1);
    let y = x;
    for (let i = 0; i < 50_000; i++) y = ops.add(y, x);
    expect(gradientOf(y, x)).toEqual([50_001]);
  });

  test("builds only what the targets need", () => {
    const [x, weight] = [parameter(1, 2), parameter(3, 4)];
    const [grad] = gradients(ops.mul(x, weight), constant(1, 1), [x]);
    const made = topologicalOrder([grad!]).filter((node) => node.op.name === "mul");
    expect(made).toHaveLength(1);
  });
});

describe("conventions", () => {
  test.each<[string, (x: Node) => Node, number[], number[]]>([
    ["relu at 0 and NaN", ops.relu, [0, NaN], [0, 1]],
    ["abs at 0", ops.abs, [0], [0]],
    ["sqrt at 0", ops.sqrt, [0], [Infinity]],
    ["norm at 0", (x) => ops.norm(x), [0, 0], [0, 0]],
    ["std at 0", (x) => ops.std(x), [3, 3], [0, 0]],
    ["clamp at its bounds", (x) => ops.clamp(x, -1, 1), [-1, 1, 2], [1, 1, 0]],
    ["maximum at a tie", (x) => ops.maximum(x, 1), [1], [0.5]],
    ["amax at a tie", (x) => ops.amax(x), [3, 3, 1], [0.5, 0.5, 0]],
    ["pow with exponent 0", (x) => ops.pow(x, 0), [0, 2], [0, 0]],
    ["softplus far out", ops.softplus, [200, -200, 0], [1, 0, 0.5]],
  ])("%s", (_name, op, values, expected) => {
    const x = parameter(...values);
    expect(gradientOf(op(x), x)).toEqual(expected);
  });
});

describe("customVjp", () => {
  test("runs its own rule", () => {
    const x = parameter(2, 3);
    const y = ops.customVjp(ops.mul(x, 10), [x], (gradOut, [input]) => [ops.mul(gradOut, input!)]);
    expect([run(y), gradientOf(y, x)]).toEqual([
      [20, 30],
      [2, 3],
    ]);
  });

  test("needs a gradient or null for each input", () => {
    const x = parameter(2);
    const y = ops.customVjp(ops.neg(x), [x], () => []);
    expect(() => gradientOf(y, x)).toThrow(ShapeError);
  });
});

describe("errors", () => {
  test("without anything that needs gradients", () => {
    const x = constant(1);
    expect(() => gradients(x, constant(1), [x])).toThrow(AutogradError);
  });

  test("when shapes differ", () => {
    const x = parameter(1, 2);
    expect(() => gradients(x, constant(1), [x])).toThrow(ShapeError);
  });

  test("when history was released", () => {
    const x = parameter(1);
    const middle = ops.square(x);
    const output = ops.neg(middle);
    middle.release();
    expect(() => gradients(output, constant(1), [x])).toThrow(StaleTensorError);
    expect(run(gradients(output, constant(1), [middle])[0]!)).toEqual([-1]);
  });
});
