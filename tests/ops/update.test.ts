/** Whole-arena updates against PyTorch's trajectories, and the rules that the segment table carries. */

import { readFileSync } from "node:fs";
import { describe, expect, test } from "vitest";
import { emaOp, fromHost, momentumSgdEmaOp, momentumSgdOp, SegmentState } from "../../src/ops";
import { apply, type Op } from "../../src/ops/op";
import { interpret } from "../../src/reference/interpret";
import { type GoldenTensor, goldenValues } from "../suites/golden";

interface Options {
  readonly lr?: number | readonly number[];
  readonly momentum?: number;
  readonly dampening?: number;
  readonly weightDecay?: number;
  readonly nesterov?: boolean;
  readonly maximize?: boolean;
  readonly groups?: readonly Group[];
}

type Group = Options & { readonly params: readonly string[] };

type Tensors = Readonly<Record<string, GoldenTensor | null>>;

interface Trajectory {
  readonly name: string;
  readonly options: Options;
  readonly params: readonly Tensors[];
}

interface Goldens {
  readonly params: Tensors;
  readonly grads: readonly Tensors[];
  readonly SGD: readonly Trajectory[];
  readonly classical: readonly Trajectory[];
}

const goldens = JSON.parse(readFileSync(new URL("../goldens/optim.json", import.meta.url), "utf8")) as Goldens;
const names = Object.keys(goldens.params);

/** Arenas with a block of 64 for each parameter: those of the goldens are small. */
class Arenas {
  readonly param = new Float32Array(64 * names.length);
  readonly grad = new Float32Array(64 * names.length);
  readonly momentum = new Float32Array(64 * names.length);
  readonly segments = new Uint32Array(names.length);
  private readonly started = new Set<string>();

  constructor() {
    names.forEach((name, i) => this.param.set(goldenValues(goldens.params[name]!), 64 * i));
  }

  /** Gradients of a step, and the states that follow from who has one; `groups` says who is in which. */
  setGrads(grads: Tensors, groups: readonly Group[] = []): void {
    names.forEach((name, i) => {
      const grad = grads[name];
      const state = !grad ? SegmentState.none : this.started.has(name) ? SegmentState.live : SegmentState.first;
      const group = groups.findIndex(({ params }) => params.includes(name));
      this.segments[i] = (Math.max(group, 0) << 2) | state;
      if (!grad) return;
      this.grad.set(goldenValues(grad), 64 * i);
      this.started.add(name);
    });
  }

  /** Runs an update on the arenas and what else it reads. */
  run(
    op: Op<{ readonly isAlike: boolean }>,
    groups: Float32Array,
    key?: Float32Array,
    coefficients?: Float32Array,
  ): void {
    const f32 = [this.param, this.grad, this.momentum, ...(key ? [key] : [])].map((data) =>
      fromHost(data, [data.length]),
    );
    const tables = [Uint32Array.from(names, (_, i) => i), this.segments].map((data) =>
      fromHost(data, [data.length], "u32"),
    );
    const rest = [groups, ...(coefficients ? [coefficients] : [])].map((data) => fromHost(data, [data.length]));
    interpret([apply(op, [...f32, ...tables, ...rest], { isAlike: false })], { leaf: (node) => node.hostData! });
  }
}

const groupOf = (options: Options, step: number, isClassical: boolean): Float32Array => {
  const { lr = 0.001, momentum = 0, dampening = 0, weightDecay = 0, nesterov = false, maximize = false } = options;
  const rate = typeof lr === "number" ? lr : lr[step]!;
  return Float32Array.of(
    rate,
    momentum,
    1 - dampening,
    weightDecay,
    Number(nesterov),
    Number(isClassical),
    Number(maximize),
    0,
  );
};

/** The table of all groups; what a group leaves out it has from the options. */
const tableOf = (options: Options, step: number, isClassical: boolean): Float32Array =>
  Float32Array.from(
    (options.groups ?? [{}]).flatMap((group) => [...groupOf({ ...options, ...group }, step, isClassical)]),
  );

describe.each(["SGD", "classical"] as const)("momentumSgd follows %s", (kind) => {
  test.each(goldens[kind].map((golden) => [golden.name, golden] as const))("%s", (_name, golden) => {
    const arenas = new Arenas();
    goldens.grads.forEach((grads, step) => {
      arenas.setGrads(grads, golden.options.groups);
      arenas.run(momentumSgdOp, tableOf(golden.options, step, kind === "classical"));
      names.forEach((name, i) => {
        const expected = goldenValues(golden.params[step]![name]!);
        expected.forEach((value: number, j: number) => expect(arenas.param[64 * i + j]).toBeCloseTo(value, 5));
      });
    });
  });
});

describe("ema", () => {
  const random = (count: number, seed: number): Float32Array =>
    Float32Array.from({ length: count }, (_, i) => Math.sin(seed + 1.7 * i));
  const coefficients = Float32Array.of(0.99, 1 - 0.99, 0, 0);

  test("moves every element of the key towards the parameter", () => {
    const [param, key] = [random(128, 1), random(128, 2)];
    const before = key.slice();
    const nodes = [param, key, coefficients].map((data) => fromHost(data, [data.length]));
    interpret([apply(emaOp, nodes, {})], { leaf: (node) => node.hostData! });
    key.forEach((value, i) =>
      expect(value).toBe(Math.fround(before[i]! * coefficients[0]! + param[i]! * coefficients[1]!)),
    );
  });

  test("after a step of SGD is what the fused update does, to the bit", () => {
    const options = { lr: 0.1, momentum: 0.9, weightDecay: 1e-4 };
    const [apart, fused] = [new Arenas(), new Arenas()];
    const [keyApart, keyFused] = [random(64 * names.length, 3), random(64 * names.length, 3)];
    goldens.grads.forEach((grads, step) => {
      for (const arenas of [apart, fused]) arenas.setGrads(grads);
      apart.run(momentumSgdOp, groupOf(options, step, false));
      const nodes = [apart.param, keyApart, coefficients].map((data) => fromHost(data, [data.length]));
      interpret([apply(emaOp, nodes, {})], { leaf: (node) => node.hostData! });
      fused.run(momentumSgdEmaOp, groupOf(options, step, false), keyFused, coefficients);
    });
    expect(fused.param).toEqual(apart.param);
    expect(fused.momentum).toEqual(apart.momentum);
    expect(keyFused).toEqual(keyApart);
  });
});
