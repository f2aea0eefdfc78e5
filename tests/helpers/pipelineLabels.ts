/**
 * Set-up file of the GPU projects: every pipeline that flywheel makes in a test must carry the name of the shader file
 * whose lines it contains. Pipelines that tests make themselves have labels that start with "test", and texts that they break say so.
 */

import { afterAll, expect } from "vitest";
import { fixedLines, SHADERS } from "./shaderTexts";

/** In a text that a test has broken on purpose. */
export const BROKEN = "// broken by a test";

const wrong: string[] = [];
const codes = new WeakMap<object, string>();

/** Replaces a method of every GPUDevice by one that is given the original. */
function wrap<K extends "createShaderModule" | "createComputePipeline" | "createComputePipelineAsync">(
  name: K,
  around: (call: () => ReturnType<GPUDevice[K]>, descriptor: Parameters<GPUDevice[K]>[0]) => ReturnType<GPUDevice[K]>,
): void {
  const prototype = GPUDevice.prototype as unknown as Record<K, (...args: unknown[]) => ReturnType<GPUDevice[K]>>;
  const original = prototype[name];
  prototype[name] = function (this: unknown, ...args) {
    return around(() => original.apply(this, args), args[0] as Parameters<GPUDevice[K]>[0]);
  };
}

wrap("createShaderModule", (call, descriptor) => {
  const module = call();
  codes.set(module, descriptor.code);
  return module;
});

function check({ label = "", compute }: GPUComputePipelineDescriptor): void {
  const code = codes.get(compute.module) ?? "";
  if (!label.startsWith("test") && !code.includes(BROKEN)) wrong.push(...mistakesIn(label, code));
}

wrap("createComputePipeline", (call, descriptor) => {
  check(descriptor);
  return call();
});

wrap("createComputePipelineAsync", (call, descriptor) => {
  check(descriptor);
  return call();
});

function mistakesIn(label: string, code: string): string[] {
  const source = SHADERS.get(label);
  if (source === undefined) return [`"${label}" is no shader file`];
  const lines = new Set(code.split("\n").map((line) => line.trim()));
  const missing = fixedLines(source).find((line) => !lines.has(line));
  return missing === undefined ? [] : [`a pipeline "${label}" lacks a line of shaders/${label}.wgsl: ${missing}`];
}

afterAll(() => {
  expect([...new Set(wrong.splice(0))], "pipelines that are not what their label says").toEqual([]);
});
