/** Grids in parts: every workgroup of the whole runs exactly once, in no more pieces than it takes. */

import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { inParts, PART_FIELDS, partParams } from "../../src/codegen/part";
import { LIBRARIES } from "../../src/kernels/libraries";
import { specialize } from "../../src/codegen/specialize";
import { InternalError } from "../../src/errors";
import { choicesOf } from "../../src/kernels/choices";
import type { KernelLimits } from "../../src/kernels/kernel";
import { mostWork, partsOf } from "../../src/kernels/parts";
import { SHADERS } from "../../src/kernels/shaders";
import { DEFAULT_LIMITS } from "../helpers/defaultLimits";

const limitsWith = (flops: number, bytes: number): KernelLimits => {
  const limits: KernelLimits = { ...DEFAULT_LIMITS, adapterClass: "hardware" };
  choicesOf(limits).mostWork = { flops, bytes };
  return limits;
};

const sizes = fc.tuple(fc.integer({ min: 1, max: 97 }), fc.integer({ min: 1, max: 53 }));

describe("the parts of a grid", () => {
  test("are all of it, each workgroup once, in order", () => {
    fc.assert(
      fc.property(sizes, fc.integer({ min: 0, max: 9000 }), fc.integer({ min: 0, max: 9000 }), (grid, flops, bytes) => {
        const [x, y] = grid;
        const parts = partsOf([x, y, 1], { flops, bytes }, limitsWith(70, 110));
        const times = new Uint8Array(x * y);
        for (const { first, grid: size } of parts)
          for (let row = 0; row < size[1]; row++)
            for (let column = 0; column < size[0]; column++) {
              expect(first[0] + column).toBeLessThan(x);
              times[(first[1] + row) * x + first[0] + column]!++;
            }
        expect(times.every((each) => each === 1)).toBe(true);
        const starts = parts.map(({ first }) => first[1] * x + first[0]);
        expect(starts).toEqual([...starts].sort((a, b) => a - b));
        expect(parts.reduce((sum, { share }) => sum + share, 0)).toBeCloseTo(1, 9);
      }),
      { numRuns: 300 },
    );
  });

  test("are as many as the work takes, none with more than one could do but for the last workgroup", () => {
    fc.assert(
      fc.property(sizes, fc.integer({ min: 0, max: 9000 }), fc.integer({ min: 0, max: 9000 }), (grid, flops, bytes) => {
        const [x, y] = grid;
        const parts = partsOf([x, y, 1], { flops, bytes }, limitsWith(70, 110));
        const wanted = Math.max(1, Math.ceil(flops / 70 + bytes / 110));
        expect(parts.length).toBeGreaterThanOrEqual(Math.min(wanted, x * y));
        const even = 1 / Math.min(wanted, x * y);
        for (const { share, grid: size } of parts) {
          // cut evenly: a row or a workgroup more than an even share at most
          const more = size[0] === x ? 1 / y : 1 / (x * y);
          expect(share).toBeLessThanOrEqual(even + more + 1e-9);
        }
      }),
      { numRuns: 300 },
    );
  });

  test("are one on software, and until too much for the slowest GPU", () => {
    const much = { flops: 1e15, bytes: 1e13 };
    const software: KernelLimits = { ...DEFAULT_LIMITS, adapterClass: "software" };
    expect(partsOf([100, 1, 1], much, software)).toEqual([{ first: [0, 0], grid: [100, 1, 1], share: 1 }]);
    const hardware: KernelLimits = { ...DEFAULT_LIMITS, adapterClass: "hardware" };
    const { flops, bytes } = mostWork(hardware);
    expect(partsOf([100, 1, 1], { flops, bytes: 0 }, hardware)).toHaveLength(1);
    expect(partsOf([100, 1, 1], { flops: 0, bytes }, hardware)).toHaveLength(1);
    expect(partsOf([100, 1, 1], { flops, bytes }, hardware)).toHaveLength(2);
    expect(partsOf([3, 1, 1], much, hardware)).toHaveLength(3);
  });
});

describe("a shader in parts", () => {
  test.each([...SHADERS.values()].map((shader) => [shader.name, shader] as const))("%s", (name, shader) => {
    const { wgsl, params } = specialize(shader, LIBRARIES, {});
    if (name === "clipFactor") {
      expect(() => inParts(wgsl)).toThrow(InternalError); // one workgroup, whatever the sizes
      return;
    }
    const text = inParts(wgsl);
    const fields = [...params, ...PART_FIELDS].map((field) => `${field.name}: ${field.type}`).join(", ");
    expect(text).toContain(`struct Params { ${fields} }`);
    expect(new Set([...params, ...PART_FIELDS].map((field) => field.name)).size).toBe(params.length + 4);
    // nothing asks for its place but through the lines that were added
    const asked = [...text.matchAll(/@builtin\((?:workgroup_id|num_workgroups|global_invocation_id)\) (\w+)/g)];
    for (const [, own] of asked) expect(own).toMatch(/_of_part$/);
    expect(asked.length).toBe(2);
  });

  test("has no workgroup that needs another of the same launch", () => {
    // augment's workgroups wait for their own invocations: each reads of the output and of scratch its own sample only
    for (const { name, source } of SHADERS.values()) {
      const text = source.replace(/\/\/.*$/gm, "");
      expect(text, name).not.toMatch(name === "augment" ? /atomic/ : /atomic|storageBarrier/);
    }
  });

  test("is told where it begins, and how large the whole grid is", () => {
    const [, second] = partsOf([7, 1, 1], { flops: 100, bytes: 0 }, limitsWith(50, 1));
    expect(partParams(second!, [7, 1, 1])).toEqual([3, 0, 7, 1]);
  });
});
