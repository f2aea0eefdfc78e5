/** Pointwise functions as users call them: numbers and booleans among tensors, free functions, and what they refuse. */

import { describe, expect, test } from "vitest";
import {
  add, addcmul, allclose, atan2, clamp, div, DTypeError, exp, F, full, fullLike, lerp, manualSeed, maximum, nanToNum, nn, pow,
  round, ShapeError, sub, tensor, type Tensor, ValueError, where, zeros,
} from "../../src"; // prettier-ignore

const f32 = (...values: number[]): Tensor => tensor(values);
const i32 = (...values: number[]): Tensor => tensor(values, { dtype: "i32" });
const u8 = (...values: number[]): Tensor => tensor(values, { dtype: "u8" });
const bool = (...values: boolean[]): Tensor => tensor(values);

/** Integers whose values the host does not know. */
const computed = (x: Tensor): Tensor => x.add(0);

/** As callers without types call it. */
const untyped = (x: unknown): Record<string, (...args: unknown[]) => Tensor> => x as never;

export function pointwise(): void {
  describe("numbers", () => {
    test("on either side", async () => {
      expect(await pow(2, f32(-1, 0, 3)).toArray()).toEqual([0.5, 1, 8]);
      expect(await pow(2, i32(0, 5)).toArray()).toEqual([1, 32]);
      expect(await sub(1, f32(3)).toArray()).toEqual([-2]);
      expect(await div(1, f32(4)).toArray()).toEqual([0.25]);
      expect(await maximum(0, f32(-1, 2)).toArray()).toEqual([0, 2]);
      expect((await atan2(0, f32(-1)).data())[0]).toBeCloseTo(Math.PI, 6);
      expect(await where(bool(true, false), 1, -0).toArray()).toEqual([1, -0]);
      expect(where(bool(true), 1, 0).dtype).toBe("f32");
      expect(await f32(1, 2).where(bool(true, false), 7).toArray()).toEqual([1, 7]);
    });

    test("beyond what f32 holds, and at its edges", async () => {
      const x = f32(1, 0);
      expect(await x.add(1e39).toArray()).toEqual([Infinity, Infinity]);
      expect(await x.mul(NaN).toArray()).toEqual([NaN, NaN]);
      expect(await x.sub(Infinity).toArray()).toEqual([-Infinity, -Infinity]);
      expect(await x.mul(-0).toArray()).toEqual([-0, -0]);
      expect(await x.copysign(-0).toArray()).toEqual([-1, -0]);
      expect(await x.clamp(-Infinity, 1e39).toArray()).toEqual([1, 0]);
      expect(await x.pow(Infinity).toArray()).toEqual([1, 0]);
      expect(await x.lt(1e39).toArray()).toEqual([1, 1]);
      expect(await full([1], -1e39).toArray()).toEqual([-Infinity]);
      expect(await fullLike(x, NaN).toArray()).toEqual([NaN, NaN]);
      expect(await where(bool(true, false), x, 1e39).toArray()).toEqual([1, Infinity]);
    });

    test("that are no integers make integers floats", async () => {
      expect(await i32(1, 2).mul(0.5).toArray()).toEqual([0.5, 1]);
      expect(await i32(1, 2).add(NaN).toArray()).toEqual([NaN, NaN]);
      expect(await i32(1, -2).mul(Infinity).toArray()).toEqual([Infinity, -Infinity]);
      expect(await u8(200, 3).add(100).toArray()).toEqual([44, 103]);
      expect(await u8(200, 3).ldexp(2).toArray()).toEqual([800, 12]);
    });

    test("booleans count less than all else", async () => {
      expect(await i32(1, 2).add(true).toArray()).toEqual([2, 3]);
      expect(i32(1).add(true).dtype).toBe("i32");
      expect(bool(true).bitwiseAnd(true).dtype).toBe("bool");
      expect(await bool(true, false).eq(false).toArray()).toEqual([0, 1]);
      expect(full([1], true).dtype).toBe("bool");
    });
  });

  describe("values", () => {
    test("quotients are rounded before they are cut", async () => {
      // 0.1 in f32 is a little more than that, but 1 / 0.1 is 10 in f32
      const quotients = f32(1, 49, -7, 0.3).div(f32(0.1, 49, 0.7, 0.1), { roundingMode: "trunc" });
      expect(await quotients.toArray()).toEqual([10, 1, -10, 3]);
    });

    test("integers by a zero that the host does not know", async () => {
      const zero = computed(i32(0));
      expect(await i32(7).floorDivide(zero).toArray()).toEqual([-1]);
      expect(await i32(7).div(zero, { roundingMode: "trunc" }).toArray()).toEqual([-1]);
      expect(await i32(-7).remainder(zero).toArray()).toEqual([-7]);
      expect(await i32(-7).fmod(zero).toArray()).toEqual([-7]);
      expect(await i32(7, 0).div(zero).toArray()).toEqual([Infinity, NaN]);
    });

    test("powers of integers are exact", async () => {
      const [bases, exponents] = [f32(2, 3, 5, 7, 10, -3, 15), zeros([1])];
      for (let exponent = 0; exponent < 6; exponent++) {
        const found = await bases.pow(exponents.add(exponent)).toArray();
        expect(found).toEqual([2, 3, 5, 7, 10, -3, 15].map((base) => base ** exponent));
      }
    });

    test("infinities become the largest numbers of f32", async () => {
      const largest = 3.4028234663852886e38;
      expect(await nanToNum(f32(NaN, Infinity, -Infinity, 1)).toArray()).toEqual([0, largest, -largest, 1]);
    });

    test("allclose", async () => {
      const x = f32(1, 2, NaN);
      expect(await allclose(f32(1, 2), f32(1.000001, 2))).toBe(true);
      expect(await allclose(f32(1, 2), 1)).toBe(false);
      expect(await x.allclose(x)).toBe(false);
      expect(await x.allclose(x, { equalNan: true })).toBe(true);
    });

    test("rounding to decimals", async () => {
      expect(await round(f32(1.26, -1250, 1350), { decimals: 1 }).data()).toEqual(Float32Array.of(1.3, -1250, 1350));
      expect(await f32(1250, 1350, -1).round({ decimals: -2 }).toArray()).toEqual([1200, 1400, -0]);
    });

    test("slopes of rrelu lie between its bounds in training", async () => {
      manualSeed(3);
      const slopes = await F.rrelu(full([100], -1), 0.1, 0.3, { training: true })
        .neg()
        .data();
      expect(Math.min(...slopes)).toBeGreaterThanOrEqual(0.1);
      expect(Math.max(...slopes)).toBeLessThan(0.3);
      expect(new Set(slopes).size).toBeGreaterThan(50);
      expect(await F.rrelu(f32(0, 2), 0.1, 0.3, { training: true }).toArray()).toEqual([0, 2]);
      expect(await new nn.RReLU(0.25, 0.25).forward(f32(-4, 4)).toArray()).toEqual([-1, 4]);
    });
  });

  describe("refusals", () => {
    const x = (): Tensor => f32(1, 2);
    const cases: readonly [string, new (message: string) => Error, string, () => unknown][] = [
      ["a string", DTypeError, 'add: operands must be tensors, numbers or booleans, got the string "1".', () => untyped(x()).add!("1")],
      ["nothing", DTypeError, "add: operands must be tensors, numbers or booleans, got undefined. Is an argument missing?", () => untyped(x()).add!()],
      ["null", DTypeError, "mul: operands must be tensors, numbers or booleans, got null", () => untyped(x()).mul!(null)],
      ["an array", DTypeError, "sub: operands must be tensors, numbers or booleans, got an array. Make a tensor of it", () => untyped(x()).sub!([1, 2])],
      ["a typed array", DTypeError, "Make a tensor of it", () => untyped(x()).sub!(Float32Array.of(1, 2))],
      ["a bigint", DTypeError, "got 1. Convert it with Number.", () => untyped(x()).eq!(1n)],
      ["options in the place of bounds", DTypeError, "clamp: operands must be tensors, numbers or booleans, got an object with min", () => untyped(x()).clamp!({ min: 0 })],
      ["no bounds", ValueError, "clamp: one of min and max must be given", () => x().clamp()],
      ["no bounds of a function", ValueError, "clamp: one of min and max must be given", () => clamp(x())],
      ["two numbers", DTypeError, "add: one of the operands must be a tensor, got 1 and 2.", () => add(1, 2)],
      ["no tensor", DTypeError, "exp: one of the operands must be a tensor, got 3.", () => exp(3 as never)],
      ["no tensor in F", DTypeError, "relu: one of the operands must be a tensor, got undefined", () => F.relu(undefined as never)],
      ["an option by position", ValueError, "add: options must be one object with names of alpha, got 2", () => untyped(x()).add!(x(), 2)],
      ["an unknown option", ValueError, "div: options must have names of roundingMode, got rounding_mode. Write roundingMode.", () => untyped(x()).div!(x(), { rounding_mode: "floor" })],
      ["an unknown mode", ValueError, 'div: roundingMode must be null, "trunc" or "floor", got up', () => untyped(x()).div!(x(), { roundingMode: "up" })],
      ["an unknown option of F", ValueError, "softplus: options must have names of beta, threshold, got bta", () => F.softplus(x(), { bta: 2 } as never)],
      ["a string for a slope", DTypeError, 'got the string "0.1"', () => F.leakyRelu(x(), "0.1" as never)],
      ["a name of Python's", DTypeError, 'got float32. Write "f32".', () => x().to("float32" as never)],
      ["a name of Python's for a new tensor", DTypeError, 'Write "i32".', () => tensor([1], { dtype: "int64" as never })],
      ["a number for a dtype", DTypeError, "to: it takes a dtype or a device, got 5", () => x().to(5 as never)],
      ["a number beyond i32", ValueError, "add: a number for i32 must be in -2147483648..2147483647, got 3000000000.", () => i32(1).add(3e9)],
      ["a number beyond i32 to compare with", ValueError, "lt: a number for i32 must be in", () => i32(1).lt(1e39)],
      ["a negative number among bytes", ValueError, "add: a number for u8 must be in 0..255, got -1.", () => u8(1).add(-1)],
      ["values beyond u8", ValueError, "tensor: a number for u8 must be in 0..255, got 300.", () => u8(1, 300)],
      ["NaN among integers", DTypeError, "tensor: a number for i32 must be an integer, got NaN.", () => i32(NaN)],
      ["a fill value beyond u8", ValueError, "full: a number for u8 must be in 0..255, got -1.", () => full([2], -1, { dtype: "u8" })],
      ["an integer by 0", ValueError, "floorDivide: integers must not be divided by 0", () => i32(1).floorDivide(0)],
      ["integers by a known 0", ValueError, "remainder: integers must not be divided by 0", () => i32(1, 2).remainder(i32(1, 0))],
      ["integers by 0 where div rounds", ValueError, "div: integers must not be divided by 0", () => i32(1).div(0, { roundingMode: "trunc" })],
      ["a negative power of integers", ValueError, "pow: integers must not have a negative exponent, got -1.", () => i32(2).pow(-1)],
      ["a fraction of integers", ValueError, "add: alpha must be an integer for i32, got 0.5.", () => i32(2).add(i32(1), { alpha: 0.5 })],
      ["a fraction of a product of integers", ValueError, "addcmul: value must be an integer for i32, got 0.5.", () => addcmul(i32(2), i32(1), i32(1), { value: 0.5 })],
      ["a quotient of integers that is added", DTypeError, "addcdiv: a quotient of integers must be a float", () => i32(2).addcdiv(i32(1), i32(1))],
      ["integers between which there is nothing", DTypeError, "lerp: dtype must be f32, got i32.", () => lerp(i32(0), i32(4), 0.5)],
      ["a difference of bools", DTypeError, "sub: operands must not be bool", () => bool(true).sub(bool(true))],
      ["a bool times a factor that is taken away", DTypeError, "sub: operands must not be bool", () => i32(1).sub(bool(true), { alpha: 2 })],
      ["bools between bools", DTypeError, "clamp: dtype must be", () => bool(true).clamp(bool(false), true)],
      ["a condition of floats", DTypeError, "where: dtype must be bool or u8, got f32.", () => x().where(x(), 1)],
      ["a part of a decimal", ValueError, "round: decimals must be an integer, got 0.5.", () => x().round({ decimals: 0.5 })],
      ["a negative tolerance", ValueError, "isclose: rtol and atol must not be negative", () => x().isclose(x(), { rtol: -1 })],
      ["shapes that do not meet", ShapeError, "hypot: shapes must broadcast, got [2] and [3]", () => x().hypot(f32(1, 2, 3))],
      ["half of an odd size", ShapeError, "glu: the size of dim -1 must be even, got [3].", () => F.glu(f32(1, 2, 3))],
      ["a weight for other channels", ShapeError, "prelu: weight must be one number or one a channel, got [3] for [1, 2].", () => F.prelu(zeros([1, 2]), f32(1, 2, 3))],
      ["silu of integers", DTypeError, "silu: dtype must be f32, got i32.", () => F.silu(i32(1))],
    ]; // prettier-ignore

    test.each(cases)("%s", (_name, kind, message, act) => {
      expect(act).toThrow(kind);
      expect(act).toThrow(message);
    });

    test("are thrown where the user called", () => {
      try {
        untyped(x()).add!("1");
      } catch (error) {
        expect((error as Error).stack).toContain("suites/pointwise.ts");
        return;
      }
      expect.unreachable();
    });
  });
}
