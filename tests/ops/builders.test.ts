/** What builders do before there is a node: promotion, broadcasting, shortcuts, and errors that say what to do. */

import { describe, expect, test } from "vitest";
import { DTypeError, IndexError, ShapeError, ValueError } from "../../src/errors";
import type { DType, TypedArray } from "../../src/graph/dtype";
import type { Node } from "../../src/graph/node";
import * as ops from "../../src/ops";
import { interpret } from "../../src/reference/interpret";

const run = (node: Node): TypedArray => interpret([node], { leaf: (leaf) => leaf.hostData! }).get(node)!;

const of = (dtype: DType, shape: readonly number[] = [2]): Node => ops.zeros(shape, dtype);

describe("promotion", () => {
  test.each<[DType, DType, DType]>([
    ["f32", "i32", "f32"],
    ["i32", "u32", "i32"],
    ["bool", "i32", "i32"],
    ["bool", "f32", "f32"],
  ])("%s and %s meet in %s", (a, b, expected) => {
    expect(ops.add(of(a), of(b)).dtype).toBe(expected);
  });

  test("numbers keep the tensor's dtype, fractions make it f32", () => {
    expect(ops.add(of("i32"), 1).dtype).toBe("i32");
    expect(ops.mul(of("i32"), 0.5).dtype).toBe("f32");
    expect(ops.add(of("bool"), 1).dtype).toBe("i32");
    expect(ops.sub(1, of("f32")).dtype).toBe("f32");
  });

  test("division and functions of integers give floats", () => {
    expect([...run(ops.div(ops.fromHost(Int32Array.of(1, -7), [2], "i32"), 2))]).toEqual([0.5, -3.5]);
    expect(ops.exp(of("i32")).dtype).toBe("f32");
    expect(ops.mean(of("i32")).dtype).toBe("f32");
  });

  test("sums of bools count", () => {
    expect(run(ops.sum(ops.ones([3, 2], "bool")))).toEqual(Int32Array.of(6));
  });
});

describe("plans stay the same when numbers change", () => {
  test("a number is a leaf's value, not an attribute", () => {
    const [a, b] = [1.5, 2.5].map((value) => ops.add(of("f32"), value));
    expect(a!.inputs.map((input) => input.signature)).toEqual(b!.inputs.map((input) => input.signature));
  });
});

describe("shortcuts make no node", () => {
  const x = of("f32", [2, 3]);
  test.each<[string, Node]>([
    ["reshape", ops.reshape(x, [2, -1])],
    ["permute", ops.permute(x, [0, 1])],
    ["expand", ops.expand(x, [-1, 3])],
    ["slice", ops.slice(x, [0], [99])],
    ["pad", ops.pad(x, [0, 0], 7)],
    ["cast", ops.cast(x, "f32")],
    ["pow", ops.pow(x, 1)],
    ["clamp", ops.clamp(x)],
  ])("%s", (_name, node) => expect(node).toBe(x));
});

describe("errors", () => {
  const f32 = of("f32", [2, 3]);
  test.each<[new (message: string) => Error, string, () => unknown]>([
    [ShapeError, "add: shapes must broadcast, got [2, 3] and [2]", () => ops.add(f32, of("f32"))],
    [DTypeError, "sub: operands must not be bool, got bool. Use logicalXor", () => ops.sub(of("bool"), of("bool"))],
    [
      ShapeError,
      "matmul: inner dimensions must match, got [33, 40] @ [41, 40] (40 != 41). Did you mean",
      () => ops.matmul(of("f32", [33, 40]), of("f32", [41, 40])),
    ],
    [ShapeError, "reshape: the number of elements must stay the same, got [2, 3] -> [4]", () => ops.reshape(f32, [4])],
    [ShapeError, "reshape: one size may be -1", () => ops.reshape(f32, [-1, 4])],
    [ShapeError, "expand: sizes must be 1 or stay the same", () => ops.expand(f32, [4, 3])],
    [ShapeError, "permute: dims must name each of the 2 dimensions once", () => ops.permute(f32, [0, 0])],
    [ShapeError, "cat: sizes must be equal outside dim 0", () => ops.cat([f32, of("f32", [2, 4])])],
    [ShapeError, "cat: there must be at least one tensor", () => ops.cat([])],
    [ShapeError, "amax: the dims that are reduced must not be empty", () => ops.amax(of("f32", [0, 3]), 0)],
    [ShapeError, "topk: k must be in 0..3, got 4", () => ops.topk(f32, 4)],
    [DTypeError, "gather: index must be an integer tensor, got f32", () => ops.gather(f32, 0, f32)],
    [ShapeError, "gather: index must have as many dimensions", () => ops.gather(f32, 0, of("i32"))],
    [ValueError, "slice: steps must be integers other than 0", () => ops.slice(f32, [], [], [0])],
    [ShapeError, "pad: padding must be pairs", () => ops.pad(f32, [1])],
    [DTypeError, "scalar: a number for i32 must be an integer, got 0.5", () => ops.scalar(0.5, "i32")],
    [ShapeError, "sum: dim must be an integer in -2..1, got 2", () => ops.sum(f32, 2)],
  ])("%s %s", (kind, message, act) => {
    expect(act).toThrow(kind);
    expect(act).toThrow(message);
  });

  test("every message says what to do, after what it got", () => {
    expect(() => ops.add(f32, of("f32"))).toThrow(/^\w+: .* must .*, got .*\. .*\.$/);
  });

  test("an index outside its dimension is told when values are there", () => {
    const index = ops.fromHost(Int32Array.of(0, 2), [2], "i32");
    expect(() => run(ops.gather(of("f32"), 0, index))).toThrow(IndexError);
  });
});

describe("composed", () => {
  test("clamp by NaN is NaN", () => {
    const bound = ops.fromHost(Float32Array.of(NaN, 0, NaN), [3]);
    const x = ops.fromHost(Float32Array.of(1, -1, NaN), [3]);
    expect([...run(ops.clamp(x, bound, 2))]).toEqual([NaN, 0, NaN]);
    expect([...run(ops.clamp(x, -2, bound))]).toEqual([NaN, -1, NaN]);
    expect([...run(ops.clamp(x, NaN))]).toEqual([NaN, NaN, NaN]);
  });

  const values = (data: number[]): Node => ops.fromHost(Float32Array.from(data), [data.length]);

  test("argmax takes the first of equals, and NaN before all", () => {
    expect([...run(ops.argmax(values([1, 3, 3])))]).toEqual([1]);
    expect([...run(ops.argmax(values([1, NaN, 3, NaN])))]).toEqual([1]);
    expect([...run(ops.argmin(values([1, NaN, 0])))]).toEqual([1]);
  });

  test("logsumexp of large and infinite values", () => {
    expect(run(ops.logsumexp(values([1000, 1000])))[0]).toBeCloseTo(1000 + Math.LN2, 3);
    expect([...run(ops.logsumexp(values([-Infinity, -Infinity])))]).toEqual([-Infinity]);
  });

  test("cumsum", () => {
    expect([...run(ops.cumsum(values([1, 2, 3, 4, 5]), 0))]).toEqual([1, 3, 6, 10, 15]);
  });

  test("integer quotients have Python's signs", () => {
    const a = ops.fromHost(Int32Array.of(7, -7, 7, -7), [4], "i32");
    const b = ops.fromHost(Int32Array.of(2, 2, -2, -2), [4], "i32");
    expect([...run(ops.floorDivide(a, b))]).toEqual([3, -4, -4, 3]);
    expect([...run(ops.remainder(a, b))]).toEqual([1, 1, -1, -1]);
  });
});
