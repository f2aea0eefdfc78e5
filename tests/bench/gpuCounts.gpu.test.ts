/** Counting by wrapped prototypes, against programs whose counts are known. */

import { beforeAll, expect, it } from "vitest";
import { expectUncaptured } from "../helpers/gpuDevices";
import { countsSince, type GpuCounts, GpuWatch } from "../../bench/peers/gpuCounts";

const FILL = `
@group(0) @binding(0) var<storage, read_write> values: array<f32>;
@compute @workgroup_size(64) fn main(@builtin(global_invocation_id) id: vec3<u32>) { values[id.x] = f32(id.x); }`;

let watch: GpuWatch;
let device: GPUDevice;

beforeAll(async () => {
  watch = new GpuWatch();
  device = await (await navigator.gpu.requestAdapter())!.requestDevice();
});

async function counted(body: () => Promise<void> | void): Promise<GpuCounts> {
  const before = { ...watch.counts };
  await body();
  return countsSince(before, watch.counts);
}

it("counts what one kernel asks for, and what is read of it", async () => {
  const read: number[] = [];
  const { bytesAlive, peakBytes, ...counts } = await counted(async () => {
    const usage = GPUBufferUsage.STORAGE | GPUBufferUsage.COPY_SRC | GPUBufferUsage.COPY_DST;
    const values = device.createBuffer({ size: 256, usage });
    const staging = device.createBuffer({ size: 256, usage: GPUBufferUsage.MAP_READ | GPUBufferUsage.COPY_DST });
    device.queue.writeBuffer(values, 0, new Float32Array(64));
    const compute = { module: device.createShaderModule({ code: FILL }) };
    const pipeline = await device.createComputePipelineAsync({ label: "testFill", layout: "auto", compute });
    const entries = [{ binding: 0, resource: { buffer: values } }];
    const bindGroup = device.createBindGroup({ layout: pipeline.getBindGroupLayout(0), entries });
    const encoder = device.createCommandEncoder();
    const pass = encoder.beginComputePass();
    pass.setPipeline(pipeline);
    pass.setBindGroup(0, bindGroup);
    pass.dispatchWorkgroups(1);
    pass.end();
    encoder.copyBufferToBuffer(values, 0, staging, 0, 256);
    device.queue.submit([encoder.finish()]);
    await staging.mapAsync(GPUMapMode.READ, 0, 128);
    read.push(...new Float32Array(staging.getMappedRange(0, 128)));
    values.destroy();
    staging.destroy();
    staging.destroy(); // twice is once
  });
  expect(read).toEqual(Array.from({ length: 32 }, (_, index) => index));
  expect(counts).toEqual({
    ...{ dispatches: 1, submits: 1, buffersCreated: 2, bindGroupsCreated: 1, pipelinesCreated: 1 },
    ...{ bytesUploaded: 256, bytesRead: 128 },
  });
  expect(bytesAlive).toBe(0);
  expect(peakBytes).toBe(512);
});

it("knows how much of a typed array is written, and of mapped buffers", async () => {
  const buffer = device.createBuffer({ size: 64, usage: GPUBufferUsage.COPY_DST });
  const upload = (write: () => void): Promise<number> => counted(write).then(({ bytesUploaded }) => bytesUploaded);
  const floats = new Float32Array(16);
  expect(await upload(() => device.queue.writeBuffer(buffer, 0, floats, 4))).toBe(48);
  expect(await upload(() => device.queue.writeBuffer(buffer, 0, floats, 4, 8))).toBe(32);
  expect(await upload(() => device.queue.writeBuffer(buffer, 0, floats.buffer, 4, 8))).toBe(8);
  buffer.destroy();
  const usage = GPUBufferUsage.COPY_SRC;
  const mapped = await counted(() => device.createBuffer({ size: 32, usage, mappedAtCreation: true }).destroy());
  expect(mapped).toMatchObject({ bytesUploaded: 32, buffersCreated: 1, bytesAlive: 0 });
});

it("starts a new peak where it is told to", () => {
  const usage = GPUBufferUsage.COPY_DST;
  device.createBuffer({ size: 4096, usage }).destroy();
  const small = device.createBuffer({ size: 16, usage });
  watch.resetPeak();
  expect(watch.counts.peakBytes).toBe(16);
  device.createBuffer({ size: 64, usage }).destroy();
  expect(watch.counts).toMatchObject({ bytesAlive: 16, peakBytes: 80 });
  small.destroy();
});

it("hears of errors that nobody asked for", async () => {
  expect(watch.errors).toEqual([]);
  expectUncaptured(/unexpected token/);
  device.createShaderModule({ code: "this is no shader" });
  await watch.idle();
  await new Promise((done) => setTimeout(done, 50));
  expect(watch.errors.join()).toMatch(/unexpected token/);
});
