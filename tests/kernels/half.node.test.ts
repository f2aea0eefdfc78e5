/**
 * f16 where no GPU has it: every form of shader is compiled, and every dispatch validated, by Dawn without a driver. Nothing is computed, so
 * nothing is said about values; tests on the CPU say that.
 */

import { beforeAll, describe, expect, it, vi } from "vitest";
import { create, globals } from "webgpu";
import {
  arange,
  autocast,
  cat,
  compile,
  F,
  full,
  KernelError,
  noGrad,
  ones,
  openDevice,
  tensor,
  type Tensor,
  where,
  withDevice,
  zeros,
} from "../../src";
import type { Device } from "../../src";
import { BatchNorm2d, Buffer, Conv2d, Flatten, Linear, Parameter, ReLU, Sequential } from "../../src/nn";
import { GradScaler, SGD } from "../../src/optim";
import * as ops from "../../src/ops";
import { backendOf } from "../../src/dev/device";
import { choicesOf } from "../../src/kernels/choices";
import { wrap } from "../../src/tensor";
import { gpuCallsOf } from "../helpers/gpuCalls";
import { SHADERS } from "../helpers/shaderTexts";

const pinned = globalThis as { nullDawn?: GPU };
Object.assign(globalThis, globals);

let gpuDevice: GPUDevice;
let device: Device;
const texts: string[] = [];

/** A device of Dawn's null backend; remembers the WGSL that it is given. */
async function nullDevice(): Promise<GPUDevice> {
  pinned.nullDawn ??= create(["backend=null"]); // if it is collected while a device lives, the process crashes
  const adapter = (await pinned.nullDawn.requestAdapter())!;
  expect([...adapter.features]).toContain("shader-f16");
  const made = await adapter.requestDevice({ requiredFeatures: ["shader-f16"] });
  const compile = made.createShaderModule.bind(made);
  made.createShaderModule = (descriptor) => {
    texts.push(descriptor.code);
    return compile(descriptor);
  };
  return made;
}

beforeAll(async () => {
  gpuDevice = await nullDevice();
  device = await openDevice("webgpu", { gpuDevice });
});

const half = (shape: readonly number[]): Tensor => full([...shape], 0.5, { dtype: "f16", device });

/** A tensor of f16 that lies in memory. */
async function stored(shape: readonly number[]): Promise<Tensor> {
  const count = shape.reduce((product, size) => product * size, 1);
  const values = Float32Array.from({ length: count }, (_, i) => (i % 17) / 8);
  return tensor(values, { shape, dtype: "f16", device }).add(0).realize();
}

/** Runs a computation; gives the WGSL of the pipelines that it took. */
async function compiled(
  run: () => Tensor | readonly Tensor[] | Promise<Tensor | readonly Tensor[]>,
): Promise<string[]> {
  const before = texts.length;
  const results = [await run()].flat();
  for (const result of results) expect((await result.data()).length).toBe(result.numel());
  return texts.slice(before);
}

const count = (list: readonly string[], part: string): number => list.filter((text) => text.includes(part)).length;

/** How often the expression of a kernel rounds to f16; the library's own functions are left out. */
const callsOf = (text: string): number =>
  [...text.matchAll(/let t\d+: \S+ = .*round_half4?\(|return round_half4?\(/g)].length;

describe("shader files of f16", () => {
  it.each([...SHADERS].filter(([, text]) => text.startsWith("enable f16;")))(
    "%s.wgsl compiles untouched",
    async (_, code) => {
      gpuDevice.pushErrorScope("validation");
      const { messages } = await gpuDevice.createShaderModule({ code }).getCompilationInfo();
      expect(messages).toEqual([]);
      expect(await gpuDevice.popErrorScope()).toBeNull();
    },
  );
});

/** Each way to load halves, and both to store them. */
describe("fused kernels with f16", () => {
  it.each<[string, readonly number[], (x: Tensor) => Tensor | readonly Tensor[]]>([
    ["four at once", [4, 8], (x) => x.mul(2).add(1)],
    ["an odd number", [3, 5], (x) => x.exp()],
    ["one", [1], (x) => x.neg()],
    ["none", [0, 3], (x) => x.neg()],
    ["rank 0", [], (x) => x.sqrt()],
    ["transposed", [4, 8], (x) => x.transpose(0, 1).add(1)],
    ["a slice that starts anywhere", [7, 9], (x) => x.narrow(1, 1, 7).add(1)],
    ["broadcast rows", [4, 8], (x) => x.add(x.narrow(0, 0, 1))],
    ["broadcast columns", [4, 8], (x) => x.add(x.narrow(1, 0, 1))],
    ["flipped", [4, 8], (x) => x.flip([1])],
    ["padded", [4, 8], (x) => F.pad(x, [1, 2])],
    ["put together", [4, 8], (x) => cat([x, x.float().half()], 1)],
    ["gathered", [4, 8], (x) => x.gather(1, arange(0, 8, { device }).reshape([1, 8]).to("i32"))],
    ["selected", [4, 8], (x) => x.indexSelect(0, tensor([3, 0], { dtype: "i32", device }))],
    ["compared", [4, 8], (x) => x.gt(0.5)],
    ["chosen", [4, 8], (x) => where(x.gt(1), x, 0)],
    ["to f32", [4, 8], (x) => x.float()],
    ["from f32, rounded inside", [4, 8], (x) => x.float().mul(3).half().float().add(1)],
    ["from and to integers", [4, 8], (x) => [x.to("i32"), x.to("u8"), x.bool(), x.to("i32").half(), x.bool().half()]],
    ["with f32", [4, 8], (x) => x.add(ones([8], { device }))],
    ["division, powers, extremes", [4, 8], (x) => [x.div(x.add(1)), x.pow(1.5), x.maximum(0.5), x.remainder(0.3)]],
    ["sums", [40, 80], (x) => [x.sum(), x.sum(0), x.sum(1), x.mean(1), x.amax(0), x.prod(1)]],
    ["a large sum", [1000, 300], (x) => x.sum()],
    ["softmax and normalisation", [8, 64], (x) => [x.softmax(1), x.logSoftmax(1), F.layerNorm(x, [64])]],
    ["variance and norm", [8, 64], (x) => [x.var(1), x.std(1), x.norm(2, 1)]],
    ["places of extremes", [8, 64], (x) => [x.argmax(1), x.max(1).values]],
    ["products", [16, 16], (x) => [x.matmul(x), x.matmul(x.transpose(0, 1)), x.float().matmul(x.float()).half()]],
    ["vectors and stacks", [2, 16, 16], (x) => [x.matmul(x), x.matmul(half([16]))]],
    ["convolution", [2, 4, 8, 8], (x) => F.conv2d(x, half([4, 4, 3, 3]), half([4]), { padding: 1 })],
    ["pooling", [2, 4, 8, 8], (x) => [F.maxPool2d(x, 2), F.avgPool2d(x, 2), F.interpolate(x, { scaleFactor: 2 })]],
    ["order", [8, 16], (x) => [x.sort(1).values, x.topk(3, 1).values, x.argsort(1)]],
    ["scans", [8, 16], (x) => [x.cumsum(1), x.cumprod(1), x.logcumsumexp(1), x.cummax(1).values]],
    ["scatters", [8, 16], (x) => x.scatterAdd(1, zeros([8, 16], { dtype: "i32", device }), x)],
    ["losses", [8, 16], (x) => [F.crossEntropy(x, zeros([8], { dtype: "i32", device })), F.mseLoss(x, x.mul(2))]],
  ])("%s", async (_, shape, run) => {
    const x = await stored(shape);
    await compiled(() => run(x));
  });

  it("stores halves through both shaders, and reads them as vectors and one by one", async () => {
    const x = await stored([4, 8]);
    const whole = await compiled(() => x.mul(7));
    expect(count(whole, "output: array<vec4<f16>>")).toBe(1);
    expect(count(whole, "x0: array<vec4<f16>>")).toBe(1);
    const turned = await compiled(() => x.transpose(0, 1).mul(7));
    expect(count(turned, "x0: array<f16>")).toBe(1);
    for (const text of [...whole, ...turned]) expect(text.startsWith("enable f16;")).toBe(true);
  });

  it("stores halves in parts, where one launch would take too long", async () => {
    const choices = choicesOf(backendOf("test", device).gpu.limits);
    choices.mostWork = { flops: Infinity, bytes: 4096 };
    try {
      const x = await stored([64, 256]);
      const buffer = new Buffer(await stored([3, 6001]));
      const parts = await compiled(() => {
        buffer.assignRows(1, full([1, 6001], 0.25, { dtype: "f16", device }).mul(2)); // begins within four neighbours
        return [x.mul(7), buffer];
      });
      const inParts = parts.filter((text) => text.includes("params.first_group_x"));
      for (const type of ["vec4<f16>", "f16"])
        expect(count(inParts, `output: array<${type}>`), type).toBeGreaterThan(0);
    } finally {
      choices.mostWork = null;
    }
  });

  it("hooks loads of halves into reductions", async () => {
    const x = await stored([40, 80]);
    const [sum] = await compiled(() => x.float().mul(3).sum(1));
    expect(sum).toMatch(/x0: array<vec4<f16>>/);
  });

  it("rounds what every op gives, once, and nothing that is a half already", async () => {
    const x = await stored([4, 20]); // a kernel that another test has made is not made again
    const y = await stored([4, 20]);
    const rounds = async (run: () => Tensor): Promise<number[]> => (await compiled(run)).map(callsOf);
    expect(await rounds(() => x.mul(y).add(x))).toEqual([2]);
    expect(await rounds(() => x.mul(y).float())).toEqual([1]);
    expect(await rounds(() => x.float().mul(3).half().float().sub(1).exp())).toEqual([1]);
    expect(await rounds(() => x.mul(y).transpose(0, 1).reshape([2, 40]))).toEqual([1]);
    expect(await rounds(() => x.transpose(0, 1).reshape([2, 40]).sub(0.1))).toEqual([1]);
    expect(await rounds(() => cat([x, y], 1))).toEqual([0]);
    expect(
      await rounds(() =>
        x
          .add(y)
          .float()
          .add(ones([4, 20], { device })),
      ),
    ).toEqual([1]);
    const [largest, equal] = await compiled(() => {
      const product = x.mul(y);
      return product.eq(product.amax(1, { keepDim: true }));
    });
    expect([largest, equal].map((text) => callsOf(text!))).toEqual([1, 2]); // the largest were stored as f32
  });

  it("leaves kernels of f32 as they are", async () => {
    const f32 = await compiled(() => ones([4, 8], { device }).add(arange(8, { device })).mul(9));
    expect(count(f32, "f16")).toBe(0);
    expect(count(f32, "round_half")).toBe(0);
  });
});

describe("state and gradients of f16", () => {
  it("gradients", async () => {
    const x = (await stored([8, 16])).detach().requiresGrad_();
    const w = (await stored([4, 16])).detach().requiresGrad_();
    const loss = F.linear(x, w)
      .softmax(1)
      .square()
      .sum()
      .add(x.sum())
      .add(F.layerNorm(x, [16]).exp().mean());
    loss.backward();
    expect([x.grad!.dtype, w.grad!.dtype]).toEqual(["f16", "f16"]);
    await compiled(() => [loss, x.grad!, w.grad!]);
  });

  it("a module of halves", async () => {
    const model = withDevice(device, () => new Linear(8, 6));
    model.half();
    expect(model.weight.dtype).toBe("f16");
    await compiled(() => noGrad(() => model.forward(half([4, 8]))));
  });

  it("parameters, and rows of a buffer, aligned or not", async () => {
    const state = new Parameter(half([4, 4]));
    await compiled(() => {
      noGrad(() => {
        state.assign(state.mul(2).transpose(0, 1));
      });
      return state.add(0);
    });
    for (const size of [8, 5]) {
      const queue = new Buffer(half([6, size]));
      queue.assignRows(2, half([2, size]).mul(3));
      await compiled(() => queue.mul(1));
    }
  });

  it.each([
    [8, 2, 4, 4], // four halves a store
    [8, 3, 4, 6],
    [5, 2, 10, 10], // one
    [5, 3, 10, 15],
  ])("rows of %d from row %d on: as many stores, from there on", async (size, start, stores, offset) => {
    const written: string[] = [];
    const write = vi.spyOn(gpuDevice.queue, "writeBuffer").mockImplementation((_buffer, _at, data) => {
      const bytes = ArrayBuffer.isView(data) ? data : new Uint8Array(data);
      written.push(
        new Uint32Array(bytes.buffer.slice(0, bytes.buffer.byteLength & ~3)).slice(bytes.byteOffset / 4).join(),
      );
    });
    try {
      const rows = new Buffer(half([6, size]));
      rows.assignRows(start, half([2, size]).mul(3));
      await rows.data();
    } finally {
      write.mockRestore();
    }
    expect(written.filter((words) => words.startsWith(`${stores},${offset},`))).not.toEqual([]);
  });

  it("numbers that nothing computes with are rounded where they are stored", async () => {
    const fresh = await openDevice("webgpu", { gpuDevice: await nullDevice() }); // that has made no such kernel yet
    const [text] = await compiled(() => wrap(ops.expand(ops.scalar(0.1, "f16"), [4, 8]), fresh));
    expect(callsOf(text!)).toBe(1);
  });
});

it("training steps in autocast, with a GradScaler", async () => {
  const model = withDevice(
    device,
    () => new Sequential(new Conv2d(3, 4, 3), new BatchNorm2d(4), new ReLU(), new Flatten(), new Linear(16, 5)),
  );
  const optimizer = new SGD(model.parameters(), { lr: 0.1, momentum: 0.9 });
  const scaler = new GradScaler();
  const images = ones([2, 3, 4, 4], { device });
  const labels = zeros([2], { dtype: "i32", device });
  const before = texts.length;
  for (let step = 0; step < 2; step++) {
    optimizer.zeroGrad();
    const loss = autocast(() => F.crossEntropy(model.forward(images), labels));
    expect(loss.dtype).toBe("f32");
    scaler.scale(loss).backward();
    await scaler.step(optimizer);
    await scaler.update();
    await loss.item();
  }
  await model.parameters()[0]!.data();
  expect(count(texts.slice(before), "array<vec4<f16>>")).toBeGreaterThan(0);
});

it("a GradScaler's step runs the forward pass once, also where the loss is read", async () => {
  const weight = new Parameter(ones([64, 64], { device }));
  const x = ones([64, 64], { device });
  const optimizer = new SGD([weight], { lr: 0.1 });
  const scaler = new GradScaler();
  const step = async (): Promise<void> => {
    optimizer.zeroGrad();
    const loss = x.matmul(weight).square().sum();
    scaler.scale(loss).backward();
    await scaler.step(optimizer);
    await scaler.update();
    await loss.item();
  };
  await step();
  const { kernels, submits } = await gpuCallsOf(step);
  expect(kernels.filter((name) => name.includes("matmul"))).toHaveLength(2); // forward, and the gradient of the weight
  expect(submits).toBe(2); // to the flag, and the update
});

describe("compiled functions", () => {
  it("are recorded anew inside of autocast, and outside of it again", async () => {
    const x = ones([4, 4], { device });
    const product = compile((a: Tensor) => a.matmul(a));
    const states: string[] = [];
    for (const enabled of [false, false, false, true, true, true, false]) {
      const y = withDevice(device, () => autocast(() => product(x), { enabled }));
      expect(y.dtype).toBe(enabled ? "f16" : "f32");
      await y.data();
      states.push(product.status.state);
    }
    const once = ["recording", "recording", "replaying"];
    expect(states).toEqual([...once, ...once, "replaying"]);
  });

  it("divide no gradients with a GradScaler: a replay would not note it, and step would divide again", async () => {
    const weight = new Parameter(ones([4], { device }));
    const optimizer = new SGD([weight], { lr: 0.1 });
    const scaler = new GradScaler();
    const divide = compile(() => {
      optimizer.zeroGrad();
      scaler.scale(weight.sum()).backward();
      scaler.unscale(optimizer);
    });
    for (let step = 0; step < 4; step++) {
      withDevice(device, divide);
      await scaler.step(optimizer);
      await scaler.update();
    }
    expect(divide.status).toMatchObject({ state: "recording", replayed: 0 });
    expect(divide.status.reason).toContain("GradScaler");
  });
});

it("a kernel that is broken would be an error here", async () => {
  const other = await nullDevice();
  const compile = other.createShaderModule.bind(other);
  other.createShaderModule = ({ code }) => compile({ code: code.replace("vec4<f16>(compute4", "vec4<f16>(oops4") });
  const broken = await openDevice("webgpu", { gpuDevice: other });
  const x = full([4, 8], 0.5, { dtype: "f16", device: broken });
  await expect(x.add(1).data()).rejects.toThrow(KernelError);
});
