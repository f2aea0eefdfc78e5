/** PyTorch's brackets as users meet them, and indices out of range: what the host knows, what only the device knows. */

import { describe, expect, test } from "vitest";
import { arange, tensor, zeros } from "../../src/creation";
import { type Device, defaultDevice, openDevice, withDevice } from "../../src/device";
import { DTypeError, IndexError, ShapeError, ValueError } from "../../src/errors";
import { crossEntropy, nllLoss, oneHot } from "../../src/functional";
import { grad } from "../../src/gradient";
import type { IndexItem } from "../../src";
import type { Tensor } from "../../src/tensor";

const ints = (...values: number[]): Tensor => tensor(values, { dtype: "i32" });

/** The same integers, which the host does not know any more. */
const onDevice = (...values: number[]): Tensor => ints(...values).add(0);

const x = (): Tensor => tensor([1, 2, 3]);

/** Calls with one index out of range, named after what finds it. */
const reads: Readonly<Record<string, (x: Tensor) => Tensor>> = {
  index: (x) => x.index(onDevice(0, 3)),
  gather: (x) => x.gather(0, onDevice(0, 3)),
  indexSelect: (x) => x.indexSelect(0, onDevice(0, -1)),
  take: (x) => x.take(onDevice(0, -4)),
  takeAlongDim: (x) => x.takeAlongDim(onDevice(0, 3), 0),
};
const writes: Readonly<Record<string, (x: Tensor) => Tensor>> = {
  setAt: (x) => x.setAt([onDevice(0, 3)], 9),
  scatter: (x) => x.scatter(0, onDevice(0, 3), 9),
  scatterReduce: (x) => x.scatterReduce(0, onDevice(0, 3), tensor([9, 9]), "amax"),
  indexCopy: (x) => x.indexCopy(0, onDevice(0, 3), tensor([9, 9])),
  indexFill: (x) => x.indexFill(0, onDevice(0, -4), 9),
  put: (x) => x.put(onDevice(0, 3), tensor([9, 9])),
};

export function indexing(): void {
  describe("brackets", () => {
    test("take Python's words, filled in or not", async () => {
      const x = arange(12).reshape(3, 4);
      const [from, to] = [1, 3];
      expect(await x.index(0).toArray()).toEqual([0, 1, 2, 3]);
      expect(await x.index(`${from}:${to}`, -1).toArray()).toEqual([7, 11]);
      expect(await x.index("...", "::-2").toArray()).toEqual([[3, 1], [7, 5], [11, 9]]); // prettier-ignore
      expect(await x.index([2, 0], [1, 1]).toArray()).toEqual([9, 1]);
      expect(x.index(null, "...", null).shape).toEqual([1, 3, 4, 1]);
      // @ts-expect-error: a slice of letters
      expect(() => x.index("1:a")).toThrow(ValueError);
      // @ts-expect-error: an item that there is not
      expect(() => x.index("all")).toThrow(/index: a slice must read "start:stop" or "start:stop:step"/);
      expect(() => x.index("::0")).toThrow(/step is not 0, got "::0"/);
    });

    test("say on the user's line what does not fit", () => {
      const x = zeros([3, 4]);
      const wrong = (...items: IndexItem[]) => () => x.index(...items); // prettier-ignore
      expect(wrong(3)).toThrow(IndexError);
      expect(wrong(3)).toThrow("index: index must be in -3..2, got 3. Check where the index comes from.");
      expect(wrong(0.5)).toThrow(/indices must be integers, got 0.5/);
      expect(wrong(0, 0, 0)).toThrow(/at most one index per dimension, got 3 for \[3, 4\]/);
      expect(wrong("...", "...")).toThrow(/at most one "..."/);
      expect(wrong(ints(0, -4))).toThrow("index: index must be in -3..2, got -4.");
      expect(wrong(":", [4])).toThrow("index: index must be in -4..3, got 4.");
      expect(wrong([0.5])).toThrow(IndexError);
      expect(wrong(tensor([1]))).toThrow(/tensors must be integers or masks, got f32/);
      expect(wrong(tensor(Uint8Array.of(1)))).toThrow(/got u8. Cast it with .to\("bool"\) for a mask/);
      expect(wrong(ints(0, 1), ints(0, 1, 2))).toThrow(ShapeError);
      expect(wrong(tensor([true, false]))).toThrow(/a mask must have the shape .* got \[2\] for \[3\]/);
    });

    test("want masks that the host knows, or says how to wait for them", async () => {
      const x = tensor([3, -1, 2]);
      const mask = x.gt(0);
      expect(() => x.index(mask)).toThrow(ValueError);
      expect(() => x.index(mask)).toThrow(/await mask.nonzero\({ asTuple: true }\)/);
      expect(await x.index(...(await mask.nonzero({ asTuple: true }))).toArray()).toEqual([3, 2]);
      expect(await (await x.maskedSelect(mask)).toArray()).toEqual([3, 2]);
      await mask.data(); // read, and so known
      expect(await x.index(mask).toArray()).toEqual([3, 2]);
      await expect(x.maskedSelect(ints(1, 0, 1))).rejects.toThrow(DTypeError);
      await expect(x.maskedSelect(tensor([true, false]))).rejects.toThrow(ShapeError);
    });
  });

  describe("writing", () => {
    test("leaves the tensor as it was", async () => {
      const x = zeros([3]);
      const y = x.setAt([1], 5);
      expect([await x.toArray(), await y.toArray()]).toEqual([[0, 0, 0], [0, 5, 0]]); // prettier-ignore
    });

    test("gives gradients to what stays and to the value", async () => {
      const x = tensor([1, 2, 3], { requiresGrad: true });
      const value = tensor(7, { requiresGrad: true });
      const weights = tensor([10, 20, 30]);
      const [dx, dValue] = grad(
        x
          .setAt([[0, 2]], value)
          .mul(weights)
          .sum(),
        [x, value],
      );
      expect(await dx!.toArray()).toEqual([0, 20, 0]);
      expect(await dValue!.item()).toBe(40);
    });

    test("keeps the last of several, and its gradient alone", async () => {
      const src = tensor([1, 2, 3], { requiresGrad: true });
      const written = zeros([2]).scatter(0, ints(1, 1, 0), src);
      expect(await written.toArray()).toEqual([3, 2]);
      expect(await grad(written.sum(), [src])[0]!.toArray()).toEqual([0, 1, 1]);
    });

    test("refuses values that do not fit", () => {
      const x = zeros([3], { dtype: "i32" });
      expect(() => x.setAt([0], 0.5)).toThrow(DTypeError);
      expect(() => x.setAt([0], tensor([0.5]))).toThrow(/setAt: a value must fit the tensor's dtype i32, got f32/);
      expect(() => x.setAt([":"], ints(1, 2))).toThrow(ShapeError);
      expect(() => x.setAt(["1:"], ints(1, 2, 3))).toThrow(/must broadcast to what is replaced, got \[3\] for \[2\]/);
      expect(() => x.setAt([3], 1)).toThrow("setAt: index must be in -3..2, got 3.");
      expect(() => x.maskedFill(ints(1, 0, 1), 1)).toThrow(DTypeError);
      expect(() => x.maskedFill(x.gt(0), ints(1, 2, 3))).toThrow(/a number or a scalar tensor/);
      expect(() => x.bool().maskedFill(x.gt(0), 2)).toThrow(DTypeError);
    });
  });

  describe("indices that only the device knows", () => {
    if (defaultDevice().kind === "cpu") {
      test.each(Object.entries({ ...reads, ...writes }))("are checked when %s runs", async (op, call) => {
        await expect(call(x()).data()).rejects.toThrow(IndexError);
        await expect(call(x()).data()).rejects.toThrow(new RegExp(`^${op}: index must be in`));
      });
      return;
    }

    test.each(Object.entries(reads))("give NaN in floats with %s", async (_op, call) => {
      expect([...(await call(x()).data())]).toEqual([1, NaN]);
    });

    test("give NaN of a scalar too", async () => {
      expect(
        await tensor(5)
          .gather(0, tensor(2, { dtype: "i32" }).add(0))
          .item(),
      ).toBeNaN();
      expect(
        await tensor(5)
          .gather(0, tensor(0, { dtype: "i32" }).add(0))
          .item(),
      ).toBe(5);
    });

    test("do not come out as an entry of another row", async () => {
      const y = arange(6, { dtype: "f32" }).reshape(2, 3);
      expect(await y.index(onDevice(0, 1, -3), onDevice(3, -1, 0)).toArray()).toEqual([NaN, 5, NaN]);
    });

    test("give the last entry in integers", async () => {
      expect(await ints(1, 2, 3).gather(0, onDevice(0, 7)).toArray()).toEqual([1, 3]);
      expect(await oneHot(onDevice(1, 5), 3).toArray()).toEqual([[0, 1, 0], [0, 0, 0]]); // prettier-ignore
    });

    test.each(Object.entries(writes))("write nothing with %s", async (_op, call) => {
      expect(await call(x()).toArray()).toEqual([9, 2, 3]);
    });
  });

  describe("debug mode", () => {
    const debugging = async (body: (device: Device) => Promise<void>): Promise<void> => {
      const device = await openDevice(defaultDevice().kind, { debug: true });
      try {
        await body(device);
      } finally {
        device.destroy();
      }
    };
    const indexOn = (device: Device, ...values: number[]): Tensor => tensor(values, { dtype: "i32", device }).add(0);

    test("throws with the read, and names the op and the index", () =>
      debugging(async (device) => {
        const x = tensor([1, 2, 3], { device });
        const wrong = x.index(indexOn(device, 0, -5, 1));
        await expect(wrong.sum().item()).rejects.toThrow(IndexError);
        const again = x.mul(2).gather(0, indexOn(device, 4, 0));
        await expect(again.data()).rejects.toThrow("gather: index must be in 0..2, got 4.");
        expect(await x.index(indexOn(device, -3, 2)).toArray()).toEqual([1, 3]);
        expect(await x.toArray()).toEqual([1, 2, 3]);
      }));

    test.each(Object.entries({ ...reads, ...writes }))("looks at %s", (op, call) =>
      debugging(async (device) => {
        const wrong = withDevice(device, () => call(x()));
        await expect(wrong.data()).rejects.toThrow(new RegExp(`^${op}: index must be in`));
      }),
    );

    test("tells each of several reads at once what is wrong with it", () =>
      debugging(async (device) => {
        const read = (...indices: number[]): Promise<unknown> =>
          tensor([1, 2, 3], { device }).gather(0, indexOn(device, ...indices)).data(); // prettier-ignore
        const told = await Promise.allSettled([read(0, 4), read(0, 1), read(5, 0)]);
        expect(told.map(({ status }) => status)).toEqual(["rejected", "fulfilled", "rejected"]);
      }));

    test("sees what runs without being read", () =>
      debugging(async (device) => {
        const x = tensor([1, 2, 3], { device });
        const run = async (): Promise<unknown> => {
          await x.scatter(0, indexOn(device, 8), 1).realize();
          return x.sum().item();
        };
        await expect(run()).rejects.toThrow("scatter: index must be in 0..2, got 8.");
        expect(await x.sum().item()).toBe(6);
      }));

    test("looks at the classes of losses, and not at ignored ones", () =>
      debugging(async (device) => {
        const scores = tensor([[1, 2, 3], [3, 2, 1]], { device }); // prettier-ignore
        for (const [name, loss] of Object.entries({ crossEntropy, nllLoss })) {
          const wrong = loss(scores, indexOn(device, 0, 3));
          await expect(wrong.item()).rejects.toThrow(`${name}: index must be in 0..2, got 3.`);
          await expect(loss(scores, indexOn(device, 0, -100)).item()).resolves.toBeTypeOf("number");
        }
      }));

    test("looks at one-hot classes and gradients too", () =>
      debugging(async (device) => {
        await expect(oneHot(indexOn(device, 3), 3).data()).rejects.toThrow("oneHot: index must be in 0..2, got 3.");
        const x = withDevice(device, () => tensor([[1, 2]], { requiresGrad: true }));
        const [dx] = grad(x.indexSelect(1, indexOn(device, 1, 1)).sum(), [x]);
        expect(await dx!.toArray()).toEqual([[0, 2]]);
      }));
  });
}
