/** f16 on a GPU: where it lacks the feature, errors that say so; its rounding, which takes no feature, to the bit. */

import { beforeAll, describe, expect, test } from "vitest";
import { autocast, type Device, DTypeError, F, ones, openDevice, tensor, zeros } from "../../src";
import { halfValue, roundToHalf } from "../../src/graph/half";
import { Linear } from "../../src/nn";
import * as ops from "../../src/ops";
import { wrap } from "../../src/tensor";
import { openTestDevice } from "../suites/device";

let device: Device;
beforeAll(async () => {
  device = await openTestDevice("webgpu");
});

const MESSAGE = /: f16 must be on a GPU with the feature shader-f16, got webgpu:\d+, whose adapter lacks it\. Use f32/;

describe("f16 where the adapter has none, else its values", () => {
  const hasF16 = (): boolean => device.adapterInfo().features.includes("shader-f16");

  test.each<[string, () => unknown]>([
    ["zeros", () => zeros([2], { dtype: "f16" })],
    ["tensor", () => tensor([1, 2], { dtype: "f16" })],
    ["half", () => ones([2]).half()],
    ["module", () => new Linear(2, 2).half()],
    ["autocast", () => autocast(() => F.linear(ones([2, 2]), ones([2, 2])))],
  ])("%s", (_name, make) => {
    expect(device.supports("f16")).toBe(hasF16());
    if (hasF16()) expect(make).not.toThrow();
    else {
      expect(make).toThrow(DTypeError);
      expect(make).toThrow(MESSAGE);
    }
  });

  test("moving a tensor there", async () => {
    const cpu = await openDevice("cpu");
    const x = tensor([0.1, 1e6, -2], { dtype: "f16", device: cpu });
    if (hasF16()) expect(await (await x.to(device)).add(1).data()).toEqual(await x.add(1).data());
    else await expect(x.to(device)).rejects.toThrow(/^to: f16 must be on a GPU/);
  });
});

test("a cast to f16 inside of a kernel rounds as the CPU does, to the bit", async () => {
  const values: number[] = [NaN, Infinity, -Infinity, 65519.996, 65520, 1e38, 2 ** -25, 2 ** -25 * 1.0001, 1e-30];
  for (let bits = 0; bits < 0x7bff; bits += 3) {
    const [a, b] = [halfValue(bits), halfValue(bits + 1)];
    const middle = (a + b) / 2;
    values.push(a, middle, -middle, middle - (b - a) / 1024, middle + (b - a) / 1024);
  }
  const x = tensor(Float32Array.from(values));
  const rounded = wrap(ops.cast(ops.cast(x.node, "f16"), "f32"), device);
  const found = await rounded.data();
  const wrong = values.flatMap((value, i) =>
    Object.is(found[i], roundToHalf(value)) ? [] : [`${value}: got ${found[i]}, must be ${roundToHalf(value)}`],
  );
  expect(wrong).toEqual([]);
});
