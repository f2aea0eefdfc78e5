/** Small kernels and helpers that the tests of this folder share. */
import type { BindGroupHandle, BufferRange, Command, Gpu, GpuMemory, Pipeline } from "../../src/gpu/gpu.ts";

/** output[i] = input[i] * scale, one element a workgroup. */
export const scaleWgsl = `
@group(0) @binding(0) var<storage, read> input: array<f32>;
@group(0) @binding(1) var<storage, read_write> output: array<f32>;
@group(0) @binding(2) var<uniform> scale: f32; // a comment with @group(0) @binding(9) in it
@compute @workgroup_size(1) fn main(@builtin(workgroup_id) id: vec3u) {
  output[id.x] = input[id.x] * scale;
}`;

/** values[i] += 1, one element a workgroup. */
export const incrementWgsl = `
@group(0) @binding(0) var<storage, read_write> values: array<f32>;
@compute @workgroup_size(1) fn main(@builtin(workgroup_id) id: vec3u) { values[id.x] += 1; }`;

export const whole = (buffer: GpuMemory, byteLength = buffer.byteLength): BufferRange => ({
  buffer,
  byteOffset: 0,
  byteLength,
});

export const floats = (...values: number[]): Float32Array<ArrayBuffer> => Float32Array.of(...values);

/** Memory that holds the values. */
export function upload(gpu: Gpu, ...values: number[]): BufferRange {
  const range = whole(gpu.allocate(4 * values.length, "test"), 4 * values.length);
  gpu.write(range, floats(...values));
  return range;
}

export async function download(gpu: Gpu, range: BufferRange): Promise<number[]> {
  const [bytes] = await gpu.read([range]);
  return [...new Float32Array(bytes!)];
}

export const bind = (gpu: Gpu, pipeline: Pipeline, ...ranges: BufferRange[]): BindGroupHandle =>
  gpu.bindGroup(
    pipeline,
    ranges.map((range, binding) => ({ binding, range })),
  );

export const dispatch = (pipeline: Pipeline, bindGroup: BindGroupHandle, x: number, y = 1, z = 1): Command => ({
  kind: "dispatch",
  pipeline,
  bindGroup,
  grid: [x, y, z],
});

/** Adds 1 to each of `count` floats. */
export function increment(gpu: Gpu, range: BufferRange, count = range.byteLength / 4): Command {
  const pipeline = gpu.pipeline("testIncrement", incrementWgsl);
  return dispatch(pipeline, bind(gpu, pipeline, range), count);
}

/** A device for Gpu.fromDevice, to be lost or broken by the test that asked for it. */
export async function newDevice(): Promise<GPUDevice> {
  const adapter = await navigator.gpu.requestAdapter();
  return adapter!.requestDevice();
}

/** Rejections of promises, in order; fails if one resolves. */
export async function rejections(promises: Promise<unknown>[]): Promise<unknown[]> {
  const results = await Promise.allSettled(promises);
  return results.map((result) => {
    if (result.status === "fulfilled") throw new Error("a promise resolved that had to reject");
    return result.reason as unknown;
  });
}
