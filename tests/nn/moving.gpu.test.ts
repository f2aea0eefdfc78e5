/** A model that moves between the GPU and the CPU, out of arenas of an optimizer and back. */

import { expect, test } from "vitest";
import { DeviceError, nn, ones, openDevice, optim } from "../../src";
import { openTestDevice } from "../suites/device";

const gpu = await openTestDevice("webgpu");
const cpu = await openDevice("cpu");

test("a trained model moves to the CPU and back", async () => {
  const model = new nn.Sequential(new nn.Linear(2, 3), new nn.BatchNorm1d(3));
  const optimizer = new optim.SGD(model.parameters(), { lr: 0.1, momentum: 0.9 });
  model
    .forward(ones([4, 2]))
    .sum()
    .backward();
  optimizer.step();
  const trained = await nn.readState(model.stateDict());
  await model.to(cpu);
  expect(await nn.readState(model.stateDict())).toEqual(trained);
  expect(model.eval().forward(ones([4, 2], { device: cpu })).device).toBe(cpu);
  expect(() => {
    optimizer.step();
  }).toThrow(DeviceError);
  await model.to(gpu);
  expect(await nn.readState(model.stateDict())).toEqual(trained);
  const again = new optim.SGD(model.parameters(), { lr: 0.1 });
  model
    .train()
    .forward(ones([4, 2]))
    .sum()
    .backward();
  again.step();
  expect(await model.parameters()[3]!.toArray()).not.toEqual(Array.from(trained["1.bias"]!.data));
});
