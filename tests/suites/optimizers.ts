/** Optimizers' trajectories, rule by rule, against PyTorch; saving and loading their state on the way. */

import { describe, expect, test } from "vitest";
import { ones, zeros } from "../../src/creation";
import * as optim from "../../src/optim";
import { SGD } from "../../src/optim";
import type { ArenaOptimizer } from "../../src/optim/arenaOptimizer";
import type { CommonOptions } from "../../src/optim";
import { Parameter } from "../../src/parameter";
import type { Tensor } from "../../src/tensor";
import goldens from "../goldens/optim.json";
import { expectGoldens, type GoldenTensor, goldenTensor, goldenValues } from "./golden";

type Named<T> = Readonly<Record<string, T>>;

interface Options {
  readonly lr?: number | readonly number[];
  readonly groups?: readonly ({ readonly params: readonly string[] } & Named<unknown>)[];
  readonly [name: string]: unknown;
}

interface Trajectory {
  readonly name: string;
  readonly options: Options;
  readonly params: readonly Named<GoldenTensor>[];
  /** A step count is a number. */
  readonly state: readonly Named<Named<GoldenTensor | number> | null>[];
}

interface Resumed {
  readonly optimizer: string;
  readonly options: Options;
  readonly before: Named<GoldenTensor>;
  readonly stateDict: {
    readonly state: Named<Named<GoldenTensor | number | null>>;
    readonly param_groups: Named<unknown>[];
  };
  readonly after: Named<GoldenTensor>;
}

/** Any of the optimizers, whatever its options. */
type AnyOptimizer = ArenaOptimizer<CommonOptions, Record<string, Tensor>>;
type Make = (params: unknown, options: unknown) => AnyOptimizer;

const OPTIMIZERS: Named<Make> = Object.fromEntries(
  (["SGD", "Adam", "AdamW", "RMSprop", "LARS"] as const).map((name) => [
    name,
    (params, options) => new optim[name](params as never, options as never) as unknown as AnyOptimizer,
  ]),
);

const start = goldens.params as unknown as Named<GoldenTensor>;
const grads = goldens.grads as unknown as readonly Named<GoldenTensor | null>[];

function build(make: Make, { groups, lr, ...options }: Options, params: Named<Parameter>): AnyOptimizer {
  const complete = { ...options, ...(lr !== undefined && { lr: typeof lr === "number" ? lr : lr[0] }) };
  if (!groups) return make(Object.values(params), complete);
  return make(
    groups.map((group) => ({ ...group, params: group.params.map((name) => params[name]!) })),
    complete,
  );
}

const parametersOf = (values: Named<GoldenTensor>): Named<Parameter> =>
  Object.fromEntries(Object.entries(values).map(([name, golden]) => [name, new Parameter(goldenTensor(golden))]));

const setGrads = (params: Named<Parameter>, step: number): void => {
  for (const [name, gradient] of Object.entries(grads[step]!)) params[name]!.grad = gradient && goldenTensor(gradient);
};

export function optimizers(): void {
  for (const [name, make] of Object.entries(OPTIMIZERS)) {
    describe(`${name} against PyTorch`, () => {
      for (const trajectory of (goldens as unknown as Record<string, readonly Trajectory[]>)[name]!) {
        test(trajectory.name, () => follow(make, trajectory));
        test(`${trajectory.name}, resumed`, () => followResumed(make, trajectory));
      }
      test("PyTorch's own state is continued", () => continueTorch(make, name));
      test("gradients that are no ordinary numbers", () => followSpecial(make, name));
    });
  }
  describe("classical momentum", () => {
    for (const trajectory of goldens.classical as unknown as readonly Trajectory[]) {
      test(trajectory.name, () => follow(OPTIMIZERS.SGD!, classical(trajectory)));
    }
  });
  corners();
}

/** The same, in the words of SGD: without momentum it keeps none, where the golden has a velocity. */
function classical(trajectory: Trajectory): Trajectory {
  const renamed = (state: Named<GoldenTensor | number> | null): Named<GoldenTensor | number> | null =>
    state && (trajectory.options.momentum === 0 ? {} : { momentumBuffer: state.velocity! });
  return {
    ...trajectory,
    options: { ...trajectory.options, classical: true },
    state: trajectory.state.map((states) =>
      Object.fromEntries(Object.entries(states).map(([name, state]) => [name, renamed(state)])),
    ),
  };
}

/** PyTorch's answers for lr 0.1, momentum 0.9 and gradients of 1, computed by hand. */
function corners(): void {
  test("momentum that is switched off for a step is there again afterwards", async () => {
    const p = new Parameter(zeros([5]));
    const optimizer = new SGD([p], { lr: 0.1, momentum: 0.9 });
    const steps: number[] = [];
    for (const momentum of [0.9, 0.9, 0, 0.9]) {
      optimizer.paramGroups[0]!.momentum = momentum;
      p.grad = ones([5]);
      optimizer.step();
      steps.push((await p.data())[3]!);
    }
    // v: 1, 1.9, unused, 0.9 * 1.9 + 1
    [-0.1, -0.29, -0.39, -0.661].forEach((value, step) => expect(steps[step]).toBeCloseTo(value, 6));
  });

  test("a frozen parameter that has a gradient is updated all the same", async () => {
    const p = new Parameter(ones([2]));
    const optimizer = new SGD([p], { lr: 0.1 });
    p.sum().backward();
    p.requiresGrad_(false);
    optimizer.step();
    for (const value of await p.data()) expect(value).toBeCloseTo(0.9, 6);
  });

  test("gradients of zeros are not the same as none", async () => {
    const [set, cleared] = [new Parameter(ones([2])), new Parameter(ones([2]))];
    const optimizer = new SGD([set, cleared], { lr: 0.1, momentum: 0.9, weightDecay: 0.5 });
    for (const p of [set, cleared]) p.grad = ones([2]);
    optimizer.step();
    set.zeroGrad({ setToNone: false });
    cleared.zeroGrad();
    optimizer.step();
    // g = 1.5, p = 0.85; then g = 0.425, v = 0.9 * 1.5 + 0.425
    expect((await set.data())[0]).toBeCloseTo(0.85 - 0.1775, 6);
    expect((await cleared.data())[0]).toBeCloseTo(0.85, 6);
  });

  test("LARS's norms are of the parameter alone, whatever lies in its padding", async () => {
    const p = new Parameter(ones([5, 1]));
    const optimizer = new optim.LARS([p], { lr: 1, trustCoefficient: 0.5 });
    p.mul(zeros([5, 1]).exp())
      .sum()
      .backward(); // ones, also where the kernel writes beyond the end
    optimizer.step();
    for (const value of await p.data()) expect(value).toBeCloseTo(0.5, 6);
  });

  test("a state that is loaded replaces the one before it, also where it has none", async () => {
    const p = new Parameter(zeros([3]));
    const optimizer = new optim.Adam([p], { lr: 0.1 });
    const fresh = optimizer.stateDict();
    const moves: number[] = [];
    for (let step = 0; step < 3; step++) {
      const before = (await p.data())[0]!;
      p.grad = ones([3]).mul(10 ** step);
      optimizer.step();
      moves.push((await p.data())[0]! - before);
      optimizer.loadStateDict(fresh);
      expect(optimizer.stateDict().state).toEqual({});
    }
    for (const move of moves) expect(move).toBeCloseTo(-0.1, 6); // Adam's first step, whatever the gradient
  });
}

async function follow(make: Make, trajectory: Trajectory): Promise<void> {
  const params = parametersOf(start);
  const optimizer = build(make, trajectory.options, params);
  for (let step = 0; step < grads.length; step++) {
    advance(optimizer, params, trajectory.options, step);
    await compare(optimizer, params, trajectory, step);
  }
}

function advance(optimizer: AnyOptimizer, params: Named<Parameter>, { lr }: Options, step: number): void {
  if (typeof lr === "object") optimizer.paramGroups[0]!.lr = lr[step]!;
  setGrads(params, step);
  optimizer.step();
}

const camel = (name: string): string => name.replace(/_(\w)/g, (_, letter: string) => letter.toUpperCase());

async function compare(
  optimizer: AnyOptimizer,
  params: Named<Parameter>,
  trajectory: Trajectory,
  step: number,
): Promise<void> {
  const { state } = optimizer.stateDict();
  const names = optimizer.paramGroups
    .flatMap((group) => group.params)
    .map((p) => Object.keys(params).find((name) => params[name] === p)!);
  const states = Object.entries(trajectory.state[step]!).flatMap(([name, expected]) => {
    const found = Object.entries(state[names.indexOf(name)] ?? {}).map(([key, value]) => [camel(key), value] as const);
    expect(found.map(([key]) => key).sort(), `state of ${name}`).toEqual(Object.keys(expected ?? {}).sort());
    return found.map(([key, actual]) => {
      const golden = expected![key]!;
      const tensor = typeof golden === "number" ? { shape: [], dtype: "f32", data: [golden] } : golden;
      return { name: `${key} of ${name}, step ${step}`, actual, golden: tensor };
    });
  });
  const values = Object.entries(trajectory.params[step]!).map(([name, golden]) => ({
    name: `${name}, step ${step}`,
    actual: params[name]!,
    golden,
  }));
  await expectGoldens([...values, ...states], { steps: step + 1 });
}

/** As `follow`, through a new optimizer after every step. */
async function followResumed(make: Make, trajectory: Trajectory): Promise<void> {
  const params = parametersOf(start);
  let optimizer = build(make, trajectory.options, params);
  for (let step = 0; step < grads.length; step++) {
    const saved = optimizer.stateDict();
    optimizer = build(make, trajectory.options, params);
    optimizer.loadStateDict(saved);
    advance(optimizer, params, trajectory.options, step);
  }
  await compare(optimizer, params, trajectory, grads.length - 1);
}

/** Loads what PyTorch saved after three steps into an optimizer of other options, and goes on. */
async function continueTorch(make: Make, name: string): Promise<void> {
  const golden = (goldens.resumed as unknown as readonly Resumed[]).find(({ optimizer }) => optimizer === name)!;
  const { state, param_groups: groups } = golden.stateDict;
  const params = parametersOf(golden.before);
  const other = { lr: 7, weightDecay: 7, ...(name === "SGD" && { classical: true, dampening: 0, nesterov: false }) };
  const optimizer = build(make, { ...golden.options, ...other }, params);
  optimizer.loadStateDict({
    state: Object.fromEntries(
      Object.entries(state).map(([index, entries]) => [
        index,
        Object.fromEntries(
          Object.entries(entries).map(([key, value]) => [
            key,
            value === null || typeof value === "number" ? value : { ...value, data: goldenValues(value) },
          ]),
        ),
      ]),
    ),
    param_groups: groups,
  });
  // what flywheel saves has PyTorch's words, and none of its own but the other form of momentum
  for (const [index, group] of optimizer.stateDict().param_groups.entries()) {
    const { classical: _, ...saved } = group;
    expect(groups[index]).toMatchObject(saved);
  }
  for (let step = 3; step < grads.length; step++) advance(optimizer, params, golden.options, step);
  await expectGoldens(
    Object.entries(golden.after).map(([key, value]) => ({ name: key, actual: params[key]!, golden: value })),
    { steps: grads.length },
  );
}

async function followSpecial(make: Make, name: string): Promise<void> {
  const { grads: special, runs } = goldens.special as unknown as {
    grads: GoldenTensor[];
    runs: { optimizer: string; options: Options; params: GoldenTensor[] }[];
  };
  const { options, params } = runs.find(({ optimizer }) => optimizer === name)!;
  const p = new Parameter(ones([8]));
  const optimizer = build(make, options, { p });
  for (const [step, grad] of special.entries()) {
    p.grad = goldenTensor(grad);
    optimizer.step();
    await expectGoldens([{ name: `step ${step}`, actual: p, golden: params[step]! }], { steps: step + 1 });
  }
}
