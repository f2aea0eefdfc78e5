/** Learning rate schedules against PyTorch, step by step; saved and resumed on the way. */

import { describe, expect, test } from "vitest";
import { ones } from "../../src/creation";
import { ValueError } from "../../src/errors";
import {
  CosineAnnealingLR,
  ExponentialLR,
  LambdaLR,
  LinearLR,
  type LRScheduler,
  MultiStepLR,
  SGD,
  StepLR,
} from "../../src/optim";
import { Parameter } from "../../src/parameter";
import goldens from "../goldens/optim.json";

interface Golden {
  readonly schedule: string;
  readonly lr: readonly number[];
  readonly options: Readonly<Record<string, unknown>>;
  readonly lrs: readonly (readonly number[])[];
}

interface Chain {
  readonly name: string;
  readonly schedules: readonly Pick<Golden, "schedule" | "options">[];
  /** The step before which a second group, of rate 0.5, is added. */
  readonly groupAt?: number;
  /** The step before which the first group's rate is set to 0.3. */
  readonly byHandAt?: number;
  readonly lrs: Golden["lrs"];
}

/** The rules of the goldens, which are Python. */
const RULES: Readonly<Record<string, (step: number) => number>> = {
  "min(1, (step + 1) / 5)": (step) => Math.min(1, (step + 1) / 5),
  "0.5 * (1 + cos(pi * step / 30))": (step) => 0.5 * (1 + Math.cos((Math.PI * step) / 30)),
  "(step + 1) / 6 if step < 5 else 0.5 * (1 + cos(pi * (step - 5) / 25))": (step) =>
    step < 5 ? (step + 1) / 6 : 0.5 * (1 + Math.cos((Math.PI * (step - 5)) / 25)),
};

/** Named options of the goldens, placed as the classes take them. */
function build(optimizer: SGD, { schedule, options }: Pick<Golden, "schedule" | "options">): LRScheduler {
  const { stepSize, milestones, tMax, gamma, rule, ...others } = options as Record<string, never>;
  switch (schedule) {
    case "StepLR":
      return new StepLR(optimizer, stepSize!, { gamma: gamma! });
    case "MultiStepLR":
      return new MultiStepLR(optimizer, milestones!, { gamma: gamma! });
    case "CosineAnnealingLR":
      return new CosineAnnealingLR(optimizer, tMax!, others);
    case "ExponentialLR":
      return new ExponentialLR(optimizer, gamma!);
    case "LinearLR":
      return new LinearLR(optimizer, others);
    default:
      return new LambdaLR(optimizer, RULES[rule!]!);
  }
}

const sgd = (lrs: readonly number[]): SGD =>
  new SGD(
    lrs.map((lr) => ({ params: [new Parameter(ones([1]))], lr })),
    { lr: 0.1 },
  );

export function schedules(): void {
  describe("schedules against PyTorch", () => {
    for (const golden of goldens.schedules as unknown as readonly Golden[]) {
      test(`${golden.schedule} ${JSON.stringify(golden.options)}`, () => {
        const optimizer = sgd(golden.lr);
        const scheduler = build(optimizer, golden);
        golden.lrs.forEach((expected, step) => {
          const found = optimizer.paramGroups.map(({ lr }) => lr);
          expect(scheduler.getLastLr()).toEqual(found);
          found.forEach((lr, group) => expect(lr, `step ${step}, group ${group}`).toBeCloseTo(expected[group]!, 12));
          scheduler.step();
        });
      });
    }

    for (const {
      name,
      schedules: described,
      groupAt,
      byHandAt,
      lrs,
    } of goldens.chains as unknown as readonly Chain[]) {
      test(name, () => {
        const optimizer = sgd([1]);
        const schedulers = described.map((each) => build(optimizer, each));
        lrs.forEach((expected, step) => {
          if (step === groupAt) optimizer.addParamGroup({ params: [new Parameter(ones([1]))], lr: 0.5 });
          if (step === byHandAt) optimizer.paramGroups[0]!.lr = 0.3;
          const found = optimizer.paramGroups.map(({ lr }) => lr);
          expect(found, `step ${step}`).toHaveLength(expected.length);
          found.forEach((lr, group) => expect(lr, `step ${step}, group ${group}`).toBeCloseTo(expected[group]!, 12));
          for (const scheduler of schedulers) scheduler.step();
        });
      });
    }

    test("a step to an epoch sets the rate of its formula", () => {
      for (const golden of goldens.schedules as unknown as readonly Golden[]) {
        const optimizer = sgd(golden.lr);
        const scheduler = build(optimizer, golden);
        scheduler.step(17);
        scheduler.getLastLr().forEach((lr, group) => expect(lr).toBeCloseTo(golden.lrs[17]![group]!, 12));
      }
    });

    test("a resumed schedule has the same rates to the bit", () => {
      const [first, second] = [sgd([0.1]), sgd([0.5])];
      const [from, to] = [new CosineAnnealingLR(first, 30), new CosineAnnealingLR(second, 30)];
      for (let step = 0; step < 7; step++) from.step();
      expect(() => {
        new StepLR(sgd([1, 1]), 2).loadStateDict(from.stateDict());
      }).toThrow(ValueError);
      to.loadStateDict(JSON.parse(JSON.stringify(from.stateDict())) as ReturnType<typeof from.stateDict>);
      for (let step = 0; step < 5; step++) {
        expect(to.getLastLr()).toEqual(from.getLastLr());
        from.step();
        to.step();
      }
    });

    test("what cannot be is a ValueError", () => {
      const optimizer = sgd([0.1]);
      expect(() => new StepLR(optimizer, 0)).toThrow(ValueError);
      expect(() => new CosineAnnealingLR(optimizer, -1)).toThrow(ValueError);
      expect(() => new LinearLR(optimizer, { startFactor: 0 })).toThrow(ValueError);
      expect(() => new LambdaLR(optimizer, [])).toThrow(ValueError);
    });
  });
}
