/** SGD's trajectories, rule by rule, against PyTorch; saving and loading its state on the way. */

import { describe, expect, test } from "vitest";
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
  });
  describe("classical momentum", () => {
    for (const trajectory of goldens.classical as unknown as readonly Trajectory[]) {
      test(trajectory.name, () => follow(trajectory, { classical: true }, "velocity"));
    }
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
