/** Learning rate schedules against PyTorch, step by step; saved and resumed on the way. */

import { describe, expect, test } from "vitest";
import { ones } from "../../src/creation";
import { ValueError } from "../../src/errors";
import type * as optim from "../../src/optim";
import {
  Adam,
  ChainedScheduler,
  ConstantLR,
  CosineAnnealingLR,
  CosineAnnealingWarmRestarts,
  CyclicLR,
  ExponentialLR,
  LambdaLR,
  LinearLR,
  type LRScheduler,
  MultiplicativeLR,
  MultiStepLR,
  OneCycleLR,
  PolynomialLR,
  ReduceLROnPlateau,
  SequentialLR,
  SGD,
  StepLR,
  SWALR,
} from "../../src/optim";
import { Parameter } from "../../src/parameter";
import goldens from "../goldens/optim.json";

interface Described {
  readonly schedule: string;
  readonly options: Readonly<Record<string, unknown>>;
}

type Rates = readonly (readonly number[])[];

interface Golden extends Described {
  readonly lr: readonly number[];
  readonly lrs: Rates;
  /** Rates of a schedule that jumped to step 17. */
  readonly jump?: readonly number[];
  /** Momentum, or beta1, per step. */
  readonly momenta?: Rates;
}

interface Chain {
  readonly name: string;
  readonly schedules: readonly Described[];
  /** The step before which a second group, of rate 0.5, is added. */
  readonly groupAt?: number;
  /** The step before which the first group's rate is set to 0.3. */
  readonly byHandAt?: number;
  readonly lrs: Rates;
}

interface Composed {
  readonly name: string;
  readonly kind: "SequentialLR" | "ChainedScheduler";
  readonly schedules: readonly Described[];
  readonly milestones: readonly number[] | null;
  readonly lrs: Rates;
}

interface Plateau {
  readonly lr: readonly number[];
  readonly options: optim.PlateauOptions;
  readonly lrs: Rates;
}

/** The rules of the goldens, which are Python. */
const RULES: Readonly<Record<string, (step: number) => number>> = {
  "min(1, (step + 1) / 5)": (step) => Math.min(1, (step + 1) / 5),
  "0.5 * (1 + cos(pi * step / 30))": (step) => 0.5 * (1 + Math.cos((Math.PI * step) / 30)),
  "(step + 1) / 6 if step < 5 else 0.5 * (1 + cos(pi * (step - 5) / 25))": (step) =>
    step < 5 ? (step + 1) / 6 : 0.5 * (1 + Math.cos((Math.PI * (step - 5)) / 25)),
  "0.9 if step % 3 else 0.5": (step) => (step % 3 === 0 ? 0.5 : 0.9),
};

/** Named options of the goldens, placed as the classes take them. */
function build(optimizer: optim.Optimizer, { schedule, options }: Described): LRScheduler {
  const { stepSize, milestones, tMax, gamma, rule, t0, baseLr, maxLr, swaLr, ...others } = options as Record<
    string,
    never
  >;
  switch (schedule) {
    case "StepLR":
      return new StepLR(optimizer, stepSize!, { gamma: gamma! });
    case "MultiStepLR":
      return new MultiStepLR(optimizer, milestones!, { gamma: gamma! });
    case "CosineAnnealingLR":
      return new CosineAnnealingLR(optimizer, tMax!, others);
    case "CosineAnnealingWarmRestarts":
      return new CosineAnnealingWarmRestarts(optimizer, t0!, others);
    case "ExponentialLR":
      return new ExponentialLR(optimizer, gamma!);
    case "LinearLR":
      return new LinearLR(optimizer, others);
    case "ConstantLR":
      return new ConstantLR(optimizer, others);
    case "PolynomialLR":
      return new PolynomialLR(optimizer, others);
    case "OneCycleLR":
      return new OneCycleLR(optimizer, maxLr!, others);
    case "CyclicLR":
      return new CyclicLR(optimizer, baseLr!, maxLr!, {
        ...others,
        ...("gamma" in options && { gamma: gamma! }),
        ...("rule" in options && { scaleFn: RULES[rule!]! }),
      });
    case "SWALR":
      return new SWALR(optimizer, swaLr!, others);
    case "MultiplicativeLR":
      return new MultiplicativeLR(optimizer, RULES[rule!]!);
    default:
      return new LambdaLR(optimizer, RULES[rule!]!);
  }
}

const groups = (lrs: readonly number[]): { params: Parameter[]; lr: number }[] =>
  lrs.map((lr) => ({ params: [new Parameter(ones([1]))], lr }));

const sgd = (lrs: readonly number[]): SGD => new SGD(groups(lrs), { lr: 0.1 });

function expectRates(optimizer: optim.Optimizer, expected: readonly number[], what: string): void {
  const found = optimizer.paramGroups.map(({ lr }) => lr);
  expect(found, what).toHaveLength(expected.length);
  found.forEach((lr, group) => expect(lr, `${what}, group ${group}`).toBeCloseTo(expected[group]!, 12));
}

/** What a file holds of a state. */
const throughJson = <T>(state: T): T => JSON.parse(JSON.stringify(state)) as T;

function compose(optimizer: optim.Optimizer, { kind, schedules, milestones }: Composed): LRScheduler {
  const parts = schedules.map((each) => build(optimizer, each));
  return kind === "SequentialLR" ? new SequentialLR(optimizer, parts, milestones!) : new ChainedScheduler(parts);
}

export function schedules(): void {
  describe("schedules against PyTorch", () => {
    for (const golden of goldens.schedules as unknown as readonly Golden[]) single(golden);
    for (const chain of goldens.chains as unknown as readonly Chain[]) chained(chain);
    for (const golden of goldens.composed as unknown as readonly Composed[]) {
      test(golden.name, () => followResumed(golden.lrs, [1, 0.1], (optimizer) => compose(optimizer, golden)));
    }
    for (const golden of goldens.plateaus as unknown as readonly Plateau[]) plateau(golden);
  });

  test("restarts go to any step, also between two", () => {
    const optimizer = sgd([1]);
    const scheduler = new CosineAnnealingWarmRestarts(optimizer, 2, { tMult: 3 });
    const rate = (epoch: number): number => {
      scheduler.step(epoch);
      return optimizer.paramGroups[0]!.lr;
    };
    // restarts at 2 and 8
    expect([0.5, 2, 5, 8].map(rate)).toEqual([0.5 * (1 + Math.cos(Math.PI / 4)), 1, 0.5, 1]);
    scheduler.step(); // 9 of 8..26
    expect(optimizer.paramGroups[0]!.lr).toBeCloseTo(0.5 * (1 + Math.cos(Math.PI / 18)), 12);
    expect(() => {
      scheduler.step(-1);
    }).toThrow(ValueError);
  });

  test("averaging's rate is gone to from the one that is set, or from the first", () => {
    const optimizer = sgd([1]);
    const scheduler = new SWALR(optimizer, 0.2, { annealEpochs: 4, annealStrategy: "linear" });
    optimizer.paramGroups[0]!.lr = 0.6; // another schedule was here
    const rate = (epoch?: number): number => {
      scheduler.step(epoch);
      return optimizer.paramGroups[0]!.lr;
    };
    [rate(), rate(), rate(3), rate()].forEach((lr, i) => expect(lr).toBeCloseTo([0.5, 0.4, 0.4, 0.2][i]!, 12));
  });

  test("a chain takes PyTorch's state, which has no count of its own", () => {
    const optimizer = sgd([1]);
    const scheduler = new ChainedScheduler([new ExponentialLR(optimizer, 0.5)]);
    const state = { _last_lr: [0.25], _schedulers: [{ last_epoch: 2, base_lrs: [1], _last_lr: [0.25] }] };
    scheduler.loadStateDict(state as never);
    scheduler.step();
    expect([scheduler.lastEpoch, optimizer.paramGroups[0]!.lr]).toEqual([3, 0.125]);
  });

  test("a cycle that is over refuses further steps", () => {
    const scheduler = new OneCycleLR(sgd([0.1]), 1, { totalSteps: 3, pctStart: 0.5 });
    for (let step = 0; step < 3; step++) scheduler.step();
    expect(() => {
      scheduler.step();
    }).toThrow("OneCycleLR: there must be at most 3 steps, got one more.");
  });

  refusals();
}

function single(golden: Golden): void {
  const name = `${golden.schedule} ${JSON.stringify(golden.options)}`;
  test(name, () => followResumed(golden.lrs, golden.lr, (optimizer) => build(optimizer, golden), golden.momenta));
  if (golden.jump) {
    test(`${name}, at step 17`, () => {
      const optimizer = sgd(golden.lr);
      build(optimizer, golden).step(17);
      expectRates(optimizer, golden.jump!, "step 17");
    });
  }
  if (!golden.momenta) return;
  test(`${name}, on Adam`, () => {
    const optimizer = new Adam(groups(golden.lr));
    const scheduler = build(optimizer, golden);
    golden.momenta!.forEach((expected, step) => {
      expectRates(optimizer, golden.lrs[step]!, `step ${step}`);
      optimizer.paramGroups.forEach(({ betas }, group) => {
        expect(betas[0]).toBeCloseTo(expected[group]!, 12);
        expect(betas[1]).toBe(0.999);
      });
      scheduler.step();
    });
  });
}

/** Follows a schedule, and goes on with a new one on a new optimizer, from what files hold of both, at every fourth step. */
function followResumed(
  lrs: Rates,
  start: readonly number[],
  make: (optimizer: SGD) => LRScheduler,
  momenta?: Rates,
): void {
  let optimizer = sgd(start);
  let scheduler = make(optimizer);
  lrs.forEach((expected, step) => {
    expect(scheduler.getLastLr()).toEqual(optimizer.paramGroups.map(({ lr }) => lr));
    expectRates(optimizer, expected, `step ${step}`);
    momenta?.[step]!.forEach((momentum, group) =>
      expect(optimizer.paramGroups[group]!.momentum).toBeCloseTo(momentum, 12),
    );
    if (step % 4 === 3) {
      const saved = throughJson({ optimizer: optimizer.stateDict(), scheduler: scheduler.stateDict() });
      optimizer = sgd(start);
      scheduler = make(optimizer);
      optimizer.loadStateDict(saved.optimizer);
      scheduler.loadStateDict(saved.scheduler);
    }
    scheduler.step();
  });
}

function chained({ name, schedules: described, groupAt, byHandAt, lrs }: Chain): void {
  test(name, () => {
    const optimizer = sgd([1]);
    const schedulers = described.map((each) => build(optimizer, each));
    lrs.forEach((expected, step) => {
      if (step === groupAt) optimizer.addParamGroup({ params: [new Parameter(ones([1]))], lr: 0.5 });
      if (step === byHandAt) optimizer.paramGroups[0]!.lr = 0.3;
      expectRates(optimizer, expected, `step ${step}`);
      for (const scheduler of schedulers) scheduler.step();
    });
  });
}

function plateau({ lr, options, lrs }: Plateau): void {
  test(`ReduceLROnPlateau ${JSON.stringify(options)}`, () => {
    let optimizer = sgd(lr);
    let scheduler = new ReduceLROnPlateau(optimizer, options);
    const fresh = throughJson(scheduler.stateDict());
    scheduler.loadStateDict(fresh); // the best so far is no number in JSON
    goldens.metrics.forEach((metric, step) => {
      scheduler.step(Number(metric));
      expectRates(optimizer, lrs[step]!, `step ${step}`);
      if (step % 4 !== 3) return;
      const saved = throughJson(scheduler.stateDict());
      optimizer = sgd(lr);
      scheduler = new ReduceLROnPlateau(optimizer, options);
      scheduler.loadStateDict(saved);
    });
  });
}

function refusals(): void {
  test("a state of other groups or parts is a ValueError", () => {
    const from = new CosineAnnealingLR(sgd([0.1]), 30).stateDict();
    expect(() => {
      new StepLR(sgd([1, 1]), 2).loadStateDict(from);
    }).toThrow(ValueError);
    expect(() => {
      new ReduceLROnPlateau(sgd([1, 1])).loadStateDict(new ReduceLROnPlateau(sgd([1])).stateDict());
    }).toThrow(ValueError);
    const chain = (parts: number): ChainedScheduler => {
      const optimizer = sgd([1]);
      return new ChainedScheduler(Array.from({ length: parts }, () => new StepLR(optimizer, 2)));
    };
    expect(() => {
      chain(2).loadStateDict(chain(3).stateDict());
    }).toThrow(/a state per schedule, got 3 for 2/);
  });

  test("what is no state is a ValueError", () => {
    const optimizer = sgd([1]);
    const parts = [new StepLR(optimizer, 2)];
    const all = [parts[0]!, new ChainedScheduler(parts), new ReduceLROnPlateau(optimizer)];
    for (const scheduler of all) {
      for (const state of [null, {}, { last_epoch: 1, _last_lr: 3 }, { last_epoch: 1, _last_lr: ["1"] }, "state"]) {
        expect(() => {
          scheduler.loadStateDict(state as never);
        }).toThrow(ValueError);
      }
    }
    const restarts = new CosineAnnealingWarmRestarts(optimizer, 3);
    expect(() => restarts.loadStateDict({ last_epoch: 1, _last_lr: [1] } as never)).toThrow(
      "loadStateDict: T_cur must be a number, got undefined",
    );
  });

  test("a plateau takes PyTorch's state from before its first step, which has no rates", () => {
    const optimizer = sgd([0.3]);
    const state = { best: null, num_bad_epochs: 2, cooldown_counter: 0, last_epoch: 0 };
    new ReduceLROnPlateau(optimizer).loadStateDict(state as never);
    expect(optimizer.paramGroups[0]!.lr).toBe(0.3);
  });

  const wrong: Readonly<Record<string, (optimizer: SGD) => unknown>> = {
    "ExponentialLR: gamma must be a number, got an object with gamma": (optimizer) =>
      new ExponentialLR(optimizer, { gamma: 0.9 } as never),
    "MultiStepLR: milestones must be a list, got 30": (optimizer) => new MultiStepLR(optimizer, 30 as never),
    "LambdaLR: there must be one function per group, got 0.9 for 1": (optimizer) =>
      new LambdaLR(optimizer, 0.9 as never),
    "LambdaLR: the rate must be a number, got NaN at step 0": (optimizer) => new LambdaLR(optimizer, () => NaN),
    "OneCycleLR: the rate must be a number, got NaN at step 0": (optimizer) =>
      new OneCycleLR(optimizer, 1, { totalSteps: 4, pctStart: 0.25 }),
    "OneCycleLR: options must say how long the cycle is": (optimizer) =>
      new OneCycleLR(optimizer, 1, undefined as never),
    "CyclicLR: maxLr must be a number or one per group, got undefined": (optimizer) =>
      new CyclicLR(optimizer, 1, undefined as never),
    "SequentialLR: milestones must be a list, got undefined": (optimizer) =>
      new SequentialLR(optimizer, [new StepLR(optimizer, 1)], undefined as never),
    "ChainedScheduler: schedulers must be a list, got an SGD": (optimizer) => new ChainedScheduler(optimizer as never),
    "StepLR: stepSize must be positive, got 0": (optimizer) => new StepLR(optimizer, 0),
    "CosineAnnealingLR: tMax must be positive, got -1": (optimizer) => new CosineAnnealingLR(optimizer, -1),
    "LinearLR: startFactor must be in (0, 1]": (optimizer) => new LinearLR(optimizer, { startFactor: 0 }),
    "ConstantLR: factor must be in (0, 1], got 2": (optimizer) => new ConstantLR(optimizer, { factor: 2 }),
    "ConstantLR: totalIters must be positive": (optimizer) => new ConstantLR(optimizer, { totalIters: 0 }),
    "PolynomialLR: totalIters must be positive": (optimizer) => new PolynomialLR(optimizer, { totalIters: 0 }),
    "CosineAnnealingWarmRestarts: t0 must be a positive integer, got 1.5": (optimizer) =>
      new CosineAnnealingWarmRestarts(optimizer, 1.5),
    "CosineAnnealingWarmRestarts: tMult must be a positive integer, got 0": (optimizer) =>
      new CosineAnnealingWarmRestarts(optimizer, 2, { tMult: 0 }),
    "LambdaLR: there must be one function per group": (optimizer) => new LambdaLR(optimizer, []),
    "MultiplicativeLR: there must be one function per group": (optimizer) => new MultiplicativeLR(optimizer, []),
    "OneCycleLR: epochs must be a positive integer, got undefined": (optimizer) => new OneCycleLR(optimizer, 1, {}),
    "OneCycleLR: totalSteps must be a positive integer, got 0": (optimizer) =>
      new OneCycleLR(optimizer, 1, { totalSteps: 0 }),
    "OneCycleLR: pctStart must be in [0, 1], got 2": (optimizer) =>
      new OneCycleLR(optimizer, 1, { totalSteps: 9, pctStart: 2 }),
    "OneCycleLR: annealStrategy must be": (optimizer) =>
      new OneCycleLR(optimizer, 1, { totalSteps: 9, annealStrategy: "sine" as never }),
    "OneCycleLR: maxLr must be a number or one per group": (optimizer) =>
      new OneCycleLR(optimizer, [1, 2], { totalSteps: 9 }),
    "CyclicLR: stepSizeUp must be positive, got 0": (optimizer) => new CyclicLR(optimizer, 0, 1, { stepSizeUp: 0 }),
    "CyclicLR: stepSizeDown must be positive": (optimizer) => new CyclicLR(optimizer, 0, 1, { stepSizeDown: -1 }),
    "CyclicLR: mode must be": (optimizer) => new CyclicLR(optimizer, 0, 1, { mode: "expRange" as never }),
    "CyclicLR: scaleMode must be": (optimizer) => new CyclicLR(optimizer, 0, 1, { scaleMode: "step" as never }),
    "CyclicLR: baseLr must be a number or one per group": (optimizer) => new CyclicLR(optimizer, [1, 2], 1),
    "SWALR: annealEpochs must be an integer that is not negative, got -1": (optimizer) =>
      new SWALR(optimizer, 1, { annealEpochs: -1 }),
    "SWALR: annealStrategy must be": (optimizer) => new SWALR(optimizer, 1, { annealStrategy: "sine" as never }),
    "SWALR: swaLr must be a number or one per group": (optimizer) => new SWALR(optimizer, [1, 2]),
    "SequentialLR: there must be one milestone fewer": (optimizer) =>
      new SequentialLR(optimizer, [new StepLR(optimizer, 1)], [1]),
    "SequentialLR: all schedules must be of one optimizer": (optimizer) =>
      new SequentialLR(optimizer, [new StepLR(sgd([1]), 1)], []),
    "SequentialLR: schedules must be single ones": (optimizer) =>
      new SequentialLR(optimizer, [new ChainedScheduler([new StepLR(optimizer, 1)])], []),
    "ChainedScheduler: there must be schedules": () => new ChainedScheduler([]),
    "ReduceLROnPlateau: factor must be below 1, got 1": (optimizer) => new ReduceLROnPlateau(optimizer, { factor: 1 }),
    'ReduceLROnPlateau: mode must be "min" or "max"': (optimizer) =>
      new ReduceLROnPlateau(optimizer, { mode: "up" as never }),
    "ReduceLROnPlateau: minLr must be a number or one per group": (optimizer) =>
      new ReduceLROnPlateau(optimizer, { minLr: [1, 2] }),
    "ReduceLROnPlateau: metrics must be a number": (optimizer) => {
      new ReduceLROnPlateau(optimizer).step(ones([]) as never);
    },
    "StepLR: there must be an optimizer, got an array": () => new StepLR([] as never, 1),
  };
  for (const [message, call] of Object.entries(wrong)) {
    test(message, () => {
      expect(() => call(sgd([0.1]))).toThrow(ValueError);
      expect(() => call(sgd([0.1]))).toThrow(message);
    });
  }
}
