/** Shader files are plain WGSL: each compiles as it lies there, and each is used. */

import { beforeAll, describe, expect, it } from "vitest";
import { KERNELS } from "../../src/kernels";
import { LIBRARIES } from "../../src/kernels/libraries";
import { SHADERS as WRAPPED } from "../../src/kernels/shaders";
import { SHADERS } from "../helpers/shaderTexts";

describe("shaders", () => {
  let device: GPUDevice;
  beforeAll(async () => {
    const adapter = await navigator.gpu.requestAdapter();
    device = await adapter!.requestDevice({ requiredFeatures: ["subgroups"] });
  });

  // those of f16, which software adapters lack, compile in half.node
  it.each([...SHADERS.keys()].filter((name) => !SHADERS.get(name)!.startsWith("enable f16;")))(
    "%s.wgsl compiles untouched",
    async (name) => {
      device.pushErrorScope("validation");
      const code = SHADERS.get(name)!;
      const module = device.createShaderModule({ label: "test", code });
      const { messages } = await module.getCompilationInfo();
      const error = await device.popErrorScope();
      expect(
        messages.filter(({ type }) => type === "error").map(({ message, lineNum }) => `${lineNum}: ${message}`),
      ).toEqual([]);
      expect(error).toBeNull();
    },
  );

  it("has a wrapper for every file, and a file for every wrapper", () => {
    const wrapped = [...WRAPPED.values()];
    const used = new Set(
      [...wrapped, ...LIBRARIES, ...wrapped.flatMap(({ libs }) => [...(libs ?? [])])].map(({ name }) => name),
    );
    expect([...used].sort()).toEqual([...SHADERS.keys()].sort());
    for (const { name, source } of wrapped) expect(source, name).toBe(SHADERS.get(name));
  });

  it("that read what they have written say so: an epilogue must not be given the same memory", () => {
    const afterStore = (line: string): string => line.replace(/\/\/.*$/, "").replace(/^\s*output\[.*?\] = /, "");
    const isRead = ({ source }: { source: string }): boolean =>
      source.split("\n").some((line) => afterStore(line).includes("output["));
    const reading = Object.values(KERNELS).filter(({ shaders }) => shaders.some(isRead));
    expect(reading.map(({ name }) => name)).toEqual(
      Object.values(KERNELS).flatMap(({ name, rereadsOutput }) => (rereadsOutput ? [name] : [])),
    );
  });

  it("names each kernel family after its first shader", () => {
    for (const [name, kernel] of Object.entries(KERNELS)) {
      expect(kernel.name).toBe(name);
      expect(kernel.shaders.map((shader) => shader.name)).toContain(name);
    }
  });
});
