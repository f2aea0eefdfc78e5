/** SGD's trajectories, rule by rule, against PyTorch; saving and loading its state on the way. */

import { describe, expect, test } from "vitest";
import { ones, zeros } from "../../src/creation";
import { SGD, type SGDOptions } from "../../src/optim";
import { Parameter } from "../../src/parameter";
import goldens from "../goldens/optim.json";
import { expectGoldens, type GoldenTensor, goldenTensor } from "./golden";

type Named<T> = Readonly<Record<string, T>>;

interface Trajectory {
  readonly name: string;
  readonly options: Omit<Partial<SGDOptions>, "lr"> & {
    readonly lr: number | readonly number[];
    readonly groups?: readonly ({ readonly params: readonly string[] } & Partial<SGDOptions>)[];
  };
  readonly params: readonly Named<GoldenTensor>[];
  readonly state: readonly Named<Named<GoldenTensor> | null>[];
}

const start = goldens.params as unknown as Named<GoldenTensor>;
const grads = goldens.grads as unknown as readonly Named<GoldenTensor | null>[];

const lrAt = (lr: number | readonly number[], step: number): number => (typeof lr === "number" ? lr : lr[step]!);

function build({ groups, lr, ...options }: Trajectory["options"], params: Named<Parameter>): SGD {
  const complete = { ...options, lr: lrAt(lr, 0) };
  if (!groups) return new SGD(Object.values(params), complete);
  return new SGD(
    groups.map((group) => ({ ...group, params: group.params.map((name) => params[name]!) })),
    complete,
  );
}

const fresh = (): Named<Parameter> =>
  Object.fromEntries(Object.entries(start).map(([name, golden]) => [name, new Parameter(goldenTensor(golden))]));

const setGrads = (params: Named<Parameter>, step: number): void => {
  for (const [name, gradient] of Object.entries(grads[step]!)) params[name]!.grad = gradient && goldenTensor(gradient);
};

/** Goldens are rounded once, from f64; here every step rounds what it stores. */
const TOLERANCE = { relative: 1e-6, ofLargest: 1e-6 };

export function optimizers(): void {
  describe("SGD against PyTorch", () => {
    for (const trajectory of goldens.SGD as unknown as readonly Trajectory[]) {
      test(trajectory.name, () => follow(trajectory, {}, "momentumBuffer"));
      test(`${trajectory.name}, resumed`, () => followResumed(trajectory));
    }
    corners();
  });
  describe("classical momentum", () => {
    for (const trajectory of goldens.classical as unknown as readonly Trajectory[]) {
      test(trajectory.name, () => follow(trajectory, { classical: true }, "velocity"));
    }
  });
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
}

async function follow(trajectory: Trajectory, extra: Partial<SGDOptions>, stateName: string): Promise<void> {
  const params = fresh();
  const optimizer = build({ ...trajectory.options, ...extra }, params);
  for (let step = 0; step < grads.length; step++) {
    advance(optimizer, params, trajectory, step);
    await compare(optimizer, params, trajectory, step, stateName);
  }
}

function advance(optimizer: SGD, params: Named<Parameter>, { options: { lr } }: Trajectory, step: number): void {
  if (typeof lr !== "number") optimizer.paramGroups[0]!.lr = lrAt(lr, step);
  setGrads(params, step);
  optimizer.step();
}

async function compare(
  optimizer: SGD,
  params: Named<Parameter>,
  trajectory: Trajectory,
  step: number,
  stateName: string,
): Promise<void> {
  const state = optimizer.stateDict().state;
  const names = optimizer.paramGroups
    .flatMap((group) => group.params)
    .map((p) => Object.keys(params).find((name) => params[name] === p)!);
  const momenta = Object.entries(trajectory.state[step]!).flatMap(([name, expected]) => {
    const found = state[names.indexOf(name)];
    const golden = trajectory.options.momentum === 0 ? undefined : expected?.[stateName]; // without momentum none is kept
    expect(found !== undefined, `${name} has state after step ${step}`).toBe(golden !== undefined);
    return golden ? [{ name: `state of ${name}, step ${step}`, actual: found!.momentum_buffer, golden }] : [];
  });
  const values = Object.entries(trajectory.params[step]!).map(([name, golden]) => ({
    name: `${name}, step ${step}`,
    actual: params[name]!,
    golden,
  }));
  await expectGoldens([...values, ...momenta], TOLERANCE);
}

/** As `follow`, through a new optimizer after every step. */
async function followResumed(trajectory: Trajectory): Promise<void> {
  const params = fresh();
  let optimizer = build(trajectory.options, params);
  for (let step = 0; step < grads.length; step++) {
    const saved = optimizer.stateDict();
    optimizer = build(trajectory.options, params);
    optimizer.loadStateDict(saved);
    advance(optimizer, params, trajectory, step);
  }
  await compare(optimizer, params, trajectory, grads.length - 1, "momentumBuffer");
}
