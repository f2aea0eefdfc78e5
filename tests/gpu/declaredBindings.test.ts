import { expect, test } from "vitest";
import { InternalError } from "../../src/errors.ts";
import { declaredBindings } from "../../src/gpu/pipeline.ts";

test("bindings are read from the text, sorted, comments ignored", () => {
  const wgsl = `
    // @group(0) @binding(7) var<storage, read> gone: f32;
    /* @group(0) @binding(8) var<storage> gone: f32; */
    @group(0) @binding(2) var<uniform> params: Params;
    @group(0)
    @binding(1) var < storage , read_write > output: array<f32>;
    @group(0) @binding(0) var<storage> input: array<f32>;`;
  expect([...declaredBindings("k", wgsl)]).toEqual([
    [0, "read"],
    [1, "read_write"],
    [2, "uniform"],
  ]);
});

test.each([
  ["another group", "@group(1) @binding(0) var<uniform> a: f32;"],
  ["a texture", "@group(0) @binding(0) var a: texture_2d<f32>;"],
  ["a number twice", "@group(0) @binding(0) var<uniform> a: f32; @group(0) @binding(0) var<uniform> b: f32;"],
])("%s is refused", (_, wgsl) => {
  expect(() => declaredBindings("matmul", wgsl)).toThrow(InternalError);
  expect(() => declaredBindings("matmul", wgsl)).toThrow(/^matmul: /);
});
