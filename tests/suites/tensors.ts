/** Tensors as users meet them: making, reading, what they say of themselves, and what they refuse. */

import { describe, expect, test } from "vitest";
import { cat, concat, stack } from "../../src/combine";
import {
  arange,
  equal,
  eye,
  full,
  fullLike,
  linspace,
  ones,
  onesLike,
  tensor,
  zeros,
  zerosLike,
} from "../../src/creation";
import { matmul } from "../../src/methodFunctions";
import { defaultDevice, openDevice, withDevice } from "../../src/device";
import { DeviceError, DTypeError, IndexError, ShapeError, ValueError } from "../../src/errors";
import { maximum, minimum, where } from "../../src/functions";
import { grad } from "../../src/gradient";
import { Parameter } from "../../src/parameter";
import { read } from "../../src/tensor";

export function tensors(): void {
  describe("making", () => {
    test("from numbers, lists and typed arrays", async () => {
      expect(await tensor(3).item()).toBe(3);
      expect(await tensor([[1, 2], [3, 4]]).toArray()).toEqual([[1, 2], [3, 4]]); // prettier-ignore
      expect(tensor([true, false]).dtype).toBe("bool");
      expect(tensor([true, 2]).dtype).toBe("f32");
      expect(await tensor([true, false]).tolist()).toEqual([1, 0]);
      expect(
        await concat([tensor([1.5]), tensor([9]).clip(0, 2)])
          .long()
          .contiguous()
          .tolist(),
      ).toEqual([1, 2]);
      expect(tensor([]).shape).toEqual([0]);
      expect(tensor([[], []]).shape).toEqual([2, 0]);
      expect(tensor(Int32Array.of(1, 2, 3, 4), { shape: [2, 2] }).dtype).toBe("i32");
      expect(tensor(Uint32Array.of(1)).dtype).toBe("u32");
      expect(tensor(new Uint8Array(3)).dtype).toBe("u8");
      expect(tensor(Uint8ClampedArray.of(3)).dtype).toBe("u8");
      expect(tensor(Float64Array.of(0.1)).dtype).toBe("f32");
      expect(await tensor([1.9, -1.9], { dtype: "i32" }).toArray()).toEqual([1, -1]);
      expect(await tensor([0, 0.5, NaN], { dtype: "bool" }).toArray()).toEqual([0, 1, 1]);
    });

    test("copies what it is given", async () => {
      const data = Float32Array.of(1, 2);
      const x = tensor(data);
      data[0] = 9;
      expect(await x.toArray()).toEqual([1, 2]);
    });

    test("refuses ragged lists, other values and shapes that do not fit", () => {
      expect(() => tensor([[1, 2], [3]])).toThrow(ShapeError);
      expect(() => tensor([[1], 2])).toThrow(ShapeError);
      expect(() => tensor([1, [2]])).toThrow(ShapeError);
      expect(() => tensor(["1"] as unknown as number[])).toThrow(DTypeError);
      expect(() => tensor(new BigInt64Array(1) as never)).toThrow(DTypeError);
      expect(() => tensor([1, 2, 3], { shape: [2, 2] })).toThrow(ShapeError);
      expect(() => zeros([-1])).toThrow(ShapeError);
      expect(() => full([2], 0.5, { dtype: "i32" })).toThrow(DTypeError);
    });

    test("constants", async () => {
      expect(await full([2], 7).toArray()).toEqual([7, 7]);
      expect(await zeros([1, 2]).toArray()).toEqual([[0, 0]]);
      expect(await ones([], { dtype: "i32" }).item()).toBe(1);
      const x = tensor([1, 2], { dtype: "i32" });
      expect(await onesLike(x).toArray()).toEqual([1, 1]);
      expect(zerosLike(x).dtype).toBe("i32");
      expect(await fullLike(x, 4).toArray()).toEqual([4, 4]);
      expect(await eye(2, 3).toArray()).toEqual([[1, 0, 0], [0, 1, 0]]); // prettier-ignore
    });

    test("ranges", async () => {
      expect(await arange(3).toArray()).toEqual([0, 1, 2]);
      expect(arange(3).dtype).toBe("i32");
      expect(await arange(2, 8, 3).toArray()).toEqual([2, 5]);
      expect(await arange(0, 1, 0.25).toArray()).toEqual([0, 0.25, 0.5, 0.75]);
      expect(await arange(3, { dtype: "f32" }).toArray()).toEqual([0, 1, 2]);
      expect(await arange(3, 0, -1).toArray()).toEqual([3, 2, 1]);
      expect(() => arange(0, 3, 0)).toThrow(ValueError);
      expect(await linspace(1, 2, 5).toArray()).toEqual([1, 1.25, 1.5, 1.75, 2]);
      expect(await linspace(1, 2, 1).toArray()).toEqual([1]);
    });
  });

  describe("reading", () => {
    test("several at once", async () => {
      const [a, b] = await read([ones([2]), arange(3)]);
      expect([...a!, ...b!]).toEqual([1, 1, 0, 1, 2]);
      expect(await read([])).toEqual([]);
    });

    test("item wants one element", async () => {
      expect(await ones([1, 1]).item()).toBe(1);
      await expect(ones([2]).item()).rejects.toThrow(ShapeError);
    });

    test("equal compares everything", async () => {
      expect(await equal(arange(3), tensor([0, 1, 2], { dtype: "i32" }))).toBe(true);
      expect(await equal(arange(3), arange(1, 4))).toBe(false);
      expect(await equal(arange(3), arange(4))).toBe(false);
      expect(await equal(tensor(NaN), tensor(NaN))).toBe(false);
    });

    test("what a tensor says of itself", () => {
      const x = zeros([2, 3]);
      expect(String(x)).toBe(`Tensor(shape=[2, 3], dtype=f32, device=${defaultDevice().name})`);
      expect(String(new Parameter(x))).toContain("Parameter(shape=[2, 3]");
      expect([x.ndim, x.dim(), x.numel(), x.size(-1), x.size()]).toEqual([2, 2, 6, 3, [2, 3]]);
      expect(() => x.size(2)).toThrow(ShapeError);
      expect(() => tensor(1).size(0)).toThrow(ShapeError);
    });
  });

  describe("methods", () => {
    test("take numbers, which fit the tensor's dtype if they can", async () => {
      const i = tensor([1, 2], { dtype: "i32" });
      expect(i.add(1).dtype).toBe("i32");
      expect(await i.add(0.5).toArray()).toEqual([1.5, 2.5]);
      expect(await i.div(2).toArray()).toEqual([0.5, 1]);
      expect(await i.clamp(2).toArray()).toEqual([2, 2]);
      expect(await i.clamp(null, tensor([0, 1], { dtype: "i32" })).toArray()).toEqual([0, 1]);
    });

    test("whole powers are exact", async () => {
      const x = tensor([3, -3, 7, 10, 0, -0, Infinity, -Infinity]);
      expect(await x.pow(3).toArray()).toEqual([27, -27, 343, 1000, 0, -0, Infinity, -Infinity]);
      expect(await x.pow(4).toArray()).toEqual([81, 81, 2401, 10000, 0, 0, Infinity, Infinity]);
      expect(await x.pow(tensor(3)).toArray()).toEqual([27, -27, 343, 1000, 0, -0, Infinity, -Infinity]);
      expect(await tensor([2, -2, 0.5, 10, 3]).pow(-3).mul(1000).round().toArray()).toEqual([125, -125, 8000, 1, 37]);
      expect(await tensor([2, -2, 0, Infinity]).pow(-2).toArray()).toEqual([0.25, 0.25, Infinity, 0]);
      expect(await tensor([1e-20, 1e20, -1e-20]).pow(-3).toArray()).toEqual([Infinity, 0, -Infinity]);
      expect(await tensor([3, -2], { dtype: "i32" }).pow(3).toArray()).toEqual([27, -8]);
      const base = tensor([3, -3, 0, Infinity, -Infinity]).requiresGrad_();
      expect(await grad(base.pow(3).sum(), [base])[0]!.toArray()).toEqual([27, 27, 0, Infinity, Infinity]);
      expect(await grad(base.pow(4).sum(), [base])[0]!.toArray()).toEqual([108, -108, 0, Infinity, -Infinity]);
    });

    test("take sizes as a list or one by one", async () => {
      const x = arange(6);
      expect(x.reshape(2, -1).shape).toEqual([2, 3]);
      expect(x.view([3, 2]).permute(1, 0).shape).toEqual([2, 3]);
      expect(x.reshape(1, 6).expand(2, -1).shape).toEqual([2, 6]);
      expect(x.reshape(1, 6).expandAs(zeros([3, 6])).shape).toEqual([3, 6]);
      expect(await x.flip(0).toArray()).toEqual([5, 4, 3, 2, 1, 0]);
      expect(tensor([4]).reshape([]).shape).toEqual([]);
      expect(tensor([4]).reshape().shape).toEqual([]);
    });

    test("cut and join", async () => {
      const x = arange(12).reshape(3, 4);
      expect(await x.select(0, -1).toArray()).toEqual([8, 9, 10, 11]);
      expect(await x.narrow(1, 1, 2).toArray()).toEqual([[1, 2], [5, 6], [9, 10]]); // prettier-ignore
      expect(await x.slice([null, -1], [2]).toArray()).toEqual([[3], [7]]);
      expect(
        (await Promise.all(x.split(2).map((part) => part.toArray()))).map((part) => (part as unknown[]).length),
      ).toEqual([2, 1]);
      expect(x.chunk(2, 1).map((part) => part.shape)).toEqual([[3, 2], [3, 2]]); // prettier-ignore
      expect(await cat([x.select(0, 0), arange(2)]).toArray()).toEqual([0, 1, 2, 3, 0, 1]);
      expect(stack([x, x], -1).shape).toEqual([3, 4, 2]);
      expect(() => x.select(0, 3)).toThrow(IndexError);
      expect(() => x.split(0)).toThrow(ShapeError);
      expect(() => x.chunk(0)).toThrow(ShapeError);
      expect(() => cat([])).toThrow(ShapeError);
    });

    test("order and choose", async () => {
      const x = tensor([[3, 1, 2], [4, 6, 5]]); // prettier-ignore
      const { values, indices } = x.topk(2);
      expect(await values.toArray()).toEqual([[3, 2], [6, 5]]); // prettier-ignore
      expect(await indices.toArray()).toEqual([[0, 2], [1, 2]]); // prettier-ignore
      expect(await x.max().item()).toBe(6);
      expect(await x.min().item()).toBe(1);
      const largest = x.max(1);
      expect([await largest.values.toArray(), await largest.indices.toArray()]).toEqual([[3, 6], [0, 1]]); // prettier-ignore
      expect(x.min(0, { keepDim: true }).values.shape).toEqual([1, 3]);
      expect(x.t().shape).toEqual([3, 2]);
      expect(() => zeros([1, 1, 1]).t()).toThrow(ShapeError);
      expect(await x.argsort().toArray()).toEqual([[1, 2, 0], [0, 2, 1]]); // prettier-ignore
      expect(await where(x.gt(3), x, 0).toArray()).toEqual([[0, 0, 0], [4, 6, 5]]); // prettier-ignore
      expect(await maximum(x, 3).minimum(tensor(5)).toArray()).toEqual([[3, 3, 3], [4, 5, 5]]); // prettier-ignore
      expect(await minimum(x, 2).sum().item()).toBe(11);
      expect(await matmul(x, x.transpose(0, 1)).toArray()).toEqual([[14, 28], [28, 77]]); // prettier-ignore
    });

    test("cast", async () => {
      const x = tensor([0, 1.5, -2.5]);
      expect(await x.int().toArray()).toEqual([0, 1, -2]);
      expect(await x.bool().toArray()).toEqual([0, 1, 1]);
      expect(x.bool().float().dtype).toBe("f32");
      expect(await x.isfinite().logicalNot().any().item()).toBe(0);
      expect(await tensor([5], { dtype: "i32" }).bitwiseNot().toArray()).toEqual([-6]);
      expect(await tensor(Uint32Array.of(0xffffffff)).mulHigh(10).toArray()).toEqual([9]);
    });

    test("errors say what must hold, what it got and what to do", () => {
      expect(() => zeros([33, 40]).matmul(zeros([41, 40]))).toThrow(
        "matmul: inner dimensions must match, got [33, 40] @ [41, 40] (40 != 41). Did you mean a.matmul(b.transpose(-1, -2))?",
      );
      expect(() => zeros([2]).add(zeros([3]))).toThrow(/add: shapes must broadcast, got \[2\] and \[3\]/);
    });
  });

  describe("two devices", () => {
    test("a tensor moves by a copy, and ops want one device", async () => {
      const other = await openDevice("cpu");
      const x = tensor([1, 2]);
      const moved = await x.to(other);
      expect(moved.device).toBe(other);
      expect(await moved.mul(2).toArray()).toEqual([2, 4]);
      expect(await x.to(x.device)).toBe(x);
      expect(() => x.add(moved)).toThrow(DeviceError);
      expect(() => x.add(moved)).toThrow(`${x.device.name} and ${other.name}`);
      const made = withDevice(other, () => zeros([2]));
      expect(made.device).toBe(other);
      expect(defaultDevice()).toBe(x.device);
      expect(() => new Parameter(x).assign(made)).toThrow(DeviceError);
      other.destroy();
      expect(() => made.add(1)).toThrow(DeviceError);
      await expect(made.data()).rejects.toThrow(/was destroyed/);
    });

    test("withDevice refuses an async function, and gives the default back whatever happens", async () => {
      const before = defaultDevice();
      const other = await openDevice("cpu");
      const wait = async (): Promise<void> => {
        await Promise.resolve();
        throw new Error("nobody waits for this");
      };
      expect(() => withDevice(other, wait)).toThrow(DeviceError);
      expect(() => withDevice(other, wait)).toThrow(/withDevice: the function must not be async, got one that returns/);
      expect(defaultDevice()).toBe(before);
      expect(() => withDevice(other, () => zeros([2]).reshape([3]))).toThrow(ShapeError);
      expect(defaultDevice()).toBe(before);
      other.destroy();
    });
  });
}
