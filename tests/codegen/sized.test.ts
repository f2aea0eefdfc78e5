/** Bindings are declared with the size that is bound, where that pays. */

import { describe, expect, test } from "vitest";
import { withSizes } from "../../src/codegen/sized";

const WGSL = [
  "alias Value = vec4<f32>;",
  "struct Group { lr: f32 }",
  "@group(0) @binding(0) var<storage, read> a: array<f32>; // numbers",
  "@group(0) @binding(1) var<storage, read_write> b: array<Value>;",
  "@group(0) @binding(2) var<storage, read> groups: array<Group>;",
  "@group(0) @binding(3) var<uniform> params: array<vec4<u32>, 2>;",
  "@group(0) @binding(4) var<storage, read> c: array<vec2<u32>>;",
].join("\n");

const MANY = [0, 1, 2, 3, 4].map((binding) => ({ binding, byteLength: 1 << 20 }));
const software = { adapterClass: "software" } as const;

describe("withSizes", () => {
  test("writes down how many elements are bound, aliases looked through", () => {
    const lines = withSizes(WGSL, MANY, software).split("\n");
    expect(lines[2]).toBe("@group(0) @binding(0) var<storage, read> a: array<f32, 262144>; // numbers");
    expect(lines[3]).toBe("@group(0) @binding(1) var<storage, read_write> b: array<Value, 65536>;");
    expect(lines[6]).toBe("@group(0) @binding(4) var<storage, read> c: array<vec2<u32>, 131072>;");
  });

  test("leaves alone structs, uniforms, and bindings whose size is not known", () => {
    const lines = withSizes(WGSL, MANY.slice(1), software).split("\n");
    const before = WGSL.split("\n");
    for (const line of [2, 4, 5]) expect(lines[line]).toBe(before[line]);
  });

  test("changes nothing on hardware, nor for little data", () => {
    expect(withSizes(WGSL, MANY, { adapterClass: "hardware" })).toBe(WGSL);
    const little = MANY.map(({ binding }) => ({ binding, byteLength: 1024 }));
    expect(withSizes(WGSL, little, software)).toBe(WGSL);
  });
});
