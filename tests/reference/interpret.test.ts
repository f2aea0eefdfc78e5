import { describe, expect, test } from "vitest";
import type { TypedArray } from "../../src/graph/dtype";
import type { Node } from "../../src/graph/node";
import * as ops from "../../src/ops";
import { apply } from "../../src/ops/op";
import { interpret } from "../../src/reference/interpret";

const values = (...data: number[]): Node => ops.fromHost(Float32Array.from(data), [data.length]);
const leaf = (node: Node): TypedArray => node.hostData!;

describe("interpret", () => {
  test("gives each root its value", () => {
    const x = values(1, 2);
    const [a, b] = [ops.add(x, 1), ops.neg(x)];
    const results = interpret([a, b, x], { leaf });
    expect([a, b, x].map((root) => [...results.get(root)!])).toEqual([
      [2, 3],
      [-1, -2],
      [1, 2],
    ]);
  });

  test("computes a shared node once", () => {
    let reads = 0;
    const x = values(1, 2);
    const shared = ops.exp(x);
    interpret([ops.add(shared, shared), ops.neg(shared)], { leaf: (node) => (reads++, leaf(node)) });
    expect(reads).toBe(1);
  });

  test("does not go behind a value that is there", () => {
    const x = ops.exp(values(1, 2));
    x.hostData = Float32Array.of(5, 6);
    const y = ops.neg(x);
    expect([...interpret([y], { leaf }).get(y)!]).toEqual([-5, -6]);
  });

  test("gives views that are roots memory of their own", () => {
    const x = values(1, 2, 3, 4);
    const [view, alias] = [ops.reshape(x, [2, 2]), ops.detach(x)];
    const results = interpret([view, alias], { leaf });
    x.hostData![0] = 9;
    expect([results.get(view)![0], results.get(alias)![0]]).toEqual([1, 1]);
  });

  test("rounds to f32 at every node, or keeps f64", () => {
    const x = values(0.1);
    const y = ops.exp(x);
    const [rounded, exact] = [false, true].map((keepF64) => interpret([y], { leaf, keepF64 }).get(y)![0]!);
    expect(exact).toBe(Math.exp(Math.fround(0.1)));
    expect(rounded).toBe(Math.fround(exact!));
  });

  test("updates leaves in place, in the order of the roots", () => {
    const [param, key] = [new Float32Array(64).fill(1), new Float32Array(64).fill(3)];
    const [p, k] = [param, key].map((data) => ops.fromHost(data, [64]));
    const before = ops.sum(k!);
    const update = apply(ops.emaOp, [p!, k!, values(0.5, 0.5, 0, 0)], {});
    const results = interpret([before, update], { leaf });
    expect(results.get(before)![0]).toBe(192);
    expect(key.every((value) => value === 2)).toBe(true);
  });

  test("takes graphs deeper than the stack", () => {
    let x: Node = values(0);
    for (let i = 0; i < 20_000; i++) x = ops.add(x, 1);
    expect([...interpret([x], { leaf }).get(x)!]).toEqual([20_000]);
  });
});
