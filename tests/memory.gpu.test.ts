/** What a device says of its memory, to the byte. */

import { afterAll, beforeAll, expect, test } from "vitest";
import { type Device, F, init, manualSeed, memory, nn, optim, Parameter, resetPeakMemory, tensor } from "../src";

let device: Device;
beforeAll(async () => {
  device = await init({ device: "webgpu" });
});
afterAll(() => {
  device.destroy();
});

test("names what is in use, and what is pooled is the rest", async () => {
  manualSeed(0);
  const model = new nn.Linear(64, 32);
  const optimizer = new optim.SGD(model.parameters(), { lr: 0.1, momentum: 0.9 });
  const x = tensor(new Float32Array(16 * 64).fill(0.5), { shape: [16, 64] });
  const y = tensor(new Float32Array(16 * 32), { shape: [16, 32] });
  for (let step = 0; step < 5; step++) {
    optimizer.zeroGrad();
    const loss = F.mseLoss(model.forward(x), y);
    loss.backward();
    optimizer.step();
    await loss.item();
  }
  const { liveByteLength, pooledByteLength, peakByteLength, byName } = memory();
  const arena = 4 * (64 * 32 + 256); // the bias takes a block of its own
  expect(byName.slice(0, 5)).toEqual(
    expect.arrayContaining([
      { name: "scalars", byteLength: 2 ** 20, count: 1 },
      { name: "parameters", byteLength: arena, count: 1 },
      { name: "gradients", byteLength: arena, count: 1 },
      { name: "momentum_buffer", byteLength: arena, count: 1 },
    ]),
  );
  expect(byName.map(({ name }) => name).sort()).toEqual(
    ["data", "gradients", "momentum_buffer", "parameters", "params", "scalars", "slot", "staging"].sort(),
  );
  expect(byName.map(({ byteLength }) => byteLength)).toEqual(
    byName.map(({ byteLength }) => byteLength).sort((a, b) => b - a),
  );
  const used = byName.reduce((sum, { byteLength }) => sum + byteLength, 0);
  expect(used + pooledByteLength).toBe(liveByteLength);
  expect(peakByteLength).toBeGreaterThanOrEqual(liveByteLength);
});

test("the peak is the most that was held, until it is reset", async () => {
  device.flush(); // a pending update may read what is freed
  const before = memory().liveByteLength;
  resetPeakMemory();
  expect(memory().peakByteLength).toBe(before);
  const x = await tensor(new Float32Array(2 ** 20))
    .add(1)
    .realize();
  const held = memory();
  expect(held.peakByteLength).toBe(held.liveByteLength);
  expect(held.byName).toContainEqual({ name: "tensor", byteLength: 2 ** 22, count: 1 });
  x.dispose();
  const { pooledByteLength, peakByteLength, byName } = memory();
  expect(pooledByteLength).toBe(held.pooledByteLength + 2 ** 22);
  expect(byName.map(({ name }) => name)).not.toContain("tensor");
  expect(peakByteLength).toBe(memory().liveByteLength);
});

test("state without a name is called state", async () => {
  const parameter = new Parameter(tensor([1, 2, 3]));
  await parameter.data();
  expect(memory().byName).toContainEqual({ name: "state", byteLength: 256, count: 1 });
});
