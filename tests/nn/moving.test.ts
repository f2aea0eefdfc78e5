/** Modules that move to another device, and what is left where it was. */

import { describe, expect, test } from "vitest";
import {
  Buffer,
  Counter,
  DeviceError,
  DTypeError,
  nn,
  ones,
  openDevice,
  optim,
  Parameter,
  StateDictError,
  type Tensor,
  tensor,
  zeros,
} from "../../src";
import { openTestDevice } from "../suites/device";

const here = await openTestDevice("cpu");
const there = await openDevice("cpu");

class Net extends nn.Module {
  readonly fc = new nn.Linear(2, 1, { bias: false });
  readonly norm = new nn.BatchNorm1d(2);
  readonly seen = new Buffer(tensor([1, 2], { dtype: "i32" }));

  forward(x: Tensor): Tensor {
    return this.fc.forward(this.norm.forward(x));
  }
}

function trained(): Net {
  const net = new Net();
  net.fc.weight.assign(tensor([[2, 3]]));
  net.forward(tensor([[1, 2], [3, 5]])).square().sum().backward(); // prettier-ignore
  return net;
}

describe("model.to(device)", () => {
  test("moves parameters, gradients, buffers and counters in place", async () => {
    const net = trained();
    const { weight } = net.fc;
    const before = await nn.readState(net.stateDict());
    const gradient = await weight.grad!.toArray();
    expect(await net.to(there)).toBe(net);
    expect(net.fc.weight).toBe(weight);
    expect([...net.parameters(), ...net.buffers()].every(({ device }) => device === there)).toBe(true);
    expect(net.norm.numBatchesTracked!.device).toBe(there);
    expect(await nn.readState(net.stateDict())).toEqual(before);
    expect(weight.grad!.device).toBe(there);
    expect(await weight.grad!.toArray()).toEqual(gradient);
    expect(net.norm.weight!.grad).not.toBeNull();
  });

  test("it trains there, with an optimizer that is made afterwards", async () => {
    const net = trained();
    const reference = new optim.SGD(net.parameters(), { lr: 0.1 });
    const twin = trained();
    await twin.to(there);
    const optimizer = new optim.SGD(twin.parameters(), { lr: 0.1 });
    reference.step();
    optimizer.step();
    expect(await nn.readState(twin.stateDict())).toEqual(await nn.readState(net.stateDict()));
    const y = twin.forward(tensor([[1, 2], [2, 1]], { device: there })); // prettier-ignore
    y.sum().backward();
    expect(twin.fc.weight.grad!.device).toBe(there);
  });

  test("an optimizer that was made before throws when it steps", async () => {
    const net = trained();
    const optimizer = new optim.SGD(net.parameters(), { lr: 0.1, momentum: 0.9 });
    optimizer.step();
    await net.to(there);
    expect(() => {
      optimizer.step();
    }).toThrow(DeviceError);
    expect(() => {
      optimizer.step();
    }).toThrow(
      new RegExp(`^SGD: parameters must stay on the device .* got .* moved from ${here.name} to ${there.name}`),
    );
    await net.to(here);
    expect(() => {
      optimizer.step();
    }).toThrow("Make a new one after model.to(device)");
  });

  test("so does an average of it", async () => {
    const net = new nn.Linear(2, 1);
    const averaged = new optim.AveragedModel(net, { decay: 0.9 });
    averaged.updateParameters(net);
    await net.to(there);
    expect(() => {
      averaged.updateParameters(net);
    }).toThrow(DeviceError);
  });

  test("where it is already, nothing changes", async () => {
    const net = trained();
    const { variable } = net.fc.weight;
    await net.to(here);
    expect(net.fc.weight.variable).toBe(variable);
  });

  test("views of the state follow", async () => {
    const net = trained();
    const view = net.stateDict()["fc.weight"]!;
    await net.to(there);
    expect(view.device).toBe(there);
    expect(await view.toArray()).toEqual([[2, 3]]);
  });

  test("what is no open device", async () => {
    const closed = await openDevice("cpu");
    closed.destroy();
    await expect(new Net().to(closed)).rejects.toThrow(DeviceError);
    await expect(new Net().to(3 as never)).rejects.toThrow("to: the device must be a Device, got 3");
  });
});

describe("names of devices", () => {
  for (const word of ["cpu", "cuda", "cuda:0", "webgpu", "mps"]) {
    test(word, () => {
      const message = `to: a device must be an object, got the string "${word}". Write await to(device)`;
      expect(() => new Net().to(word as never)).toThrow(message);
      expect(() => zeros([2]).to(word as never)).toThrow(DeviceError);
      expect(() => zeros([2]).to(word as never)).toThrow(message);
    });
  }

  test("other words are dtypes", () => {
    expect(() => new Net().to("float99" as never)).toThrow(DTypeError);
    expect(() => zeros([2]).to("float99" as never)).toThrow(DTypeError);
  });
});

test("loadStateDict across devices says how", async () => {
  const net = trained();
  const other = await new Net().to(there);
  expect(() => other.loadStateDict(net.stateDict())).toThrow(StateDictError);
  expect(() => other.loadStateDict(net.stateDict())).toThrow("await readState(dict)");
  other.loadStateDict(await nn.readState(net.stateDict()));
  expect(await other.fc.weight.toArray()).toEqual([[2, 3]]);
});

test("a counter and a parameter of one's own move too", async () => {
  class Own extends nn.Module {
    readonly w = new Parameter(ones([2]), { requiresGrad: false });
    readonly steps = new Counter(3);
  }
  const own = await new Own().to(there);
  expect(own.w.requiresGrad).toBe(false);
  expect(await own.stateDict()["steps"]!.item()).toBe(3);
  expect(own.stateDict()["steps"]!.device).toBe(there);
});
