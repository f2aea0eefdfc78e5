/** What recompute saves: bytes of slots in the plan of a whole training step, optimizer included. */

import { describe, expect, test } from "vitest";
import { recompute } from "../../src/gradient";
import type { KernelLimits } from "../../src/kernels/kernel";
import * as nn from "../../src/nn";
import { SGD } from "../../src/optim";
import { randn } from "../../src/random";
import type { Program } from "../../src/runtime/program";
import { Variable } from "../../src/runtime/variable";
import type { VariableRef } from "../../src/graph/node";
import { makePlan, type Plan } from "../../src/schedule/plan";
import type { Tensor } from "../../src/tensor";
import { DEFAULT_LIMITS } from "../helpers/defaultLimits";
import { openTestDevice } from "../suites/device";

const device = await openTestDevice("cpu");

const LIMITS: KernelLimits = { ...DEFAULT_LIMITS, adapterClass: "hardware" };

const bufferOf = (variable: VariableRef): unknown =>
  variable instanceof Variable ? (variable.home?.arena ?? variable) : variable;

/** The plans that a GPU would make for what `body` runs. Nothing runs. */
function plansOf(body: () => void): Plan[] {
  const { backend } = device.engine;
  const { run } = backend; // eslint-disable-line @typescript-eslint/unbound-method -- put back as it was
  const plans: Plan[] = [];
  backend.run = (program: Program) => {
    plans.push(makePlan({ ...program, bufferOf }, LIMITS));
    return Promise.resolve([]);
  };
  try {
    body();
  } finally {
    backend.run = run;
  }
  return plans;
}

const slotBytes = ({ slots }: Plan): number => slots.reduce((total, byteLength) => total + byteLength, 0);
const launchCount = ({ launches }: Plan): number => launches.length;

type Wrap = (forward: (x: Tensor) => Tensor, x: Tensor) => Tensor;
const plainly: Wrap = (forward, x) => forward(x);

/** The plan of a training step, which the end of the step runs at once. */
function stepOf(blocks: readonly nn.Layer[], x: Tensor, wrap: Wrap): Plan {
  const parameters = blocks.flatMap((block) => block.parameters());
  const optimizer = new SGD(parameters, { lr: 0.1 });
  const plans = plansOf(() => {
    blocks
      .reduce((y, block) => wrap((z) => block.forward(z), y), x)
      .square()
      .mean()
      .backward();
    optimizer.step();
  });
  expect(plans).toHaveLength(1);
  return plans[0]!;
}

const repeat = (count: number, make: () => nn.Layer): nn.Layer[] => Array.from({ length: count }, make);

const mlp = (): nn.Layer =>
  new nn.Sequential(new nn.Linear(16, 64), new nn.GELU(), new nn.Linear(64, 16), new nn.Tanh());

const conv = (): nn.Layer =>
  new nn.Sequential(
    new nn.Conv2d(4, 16, 3, { padding: 1 }),
    new nn.BatchNorm2d(16),
    new nn.ReLU(),
    new nn.Conv2d(16, 4, 1),
  );

const CHAINS = [
  { name: "an MLP", make: mlp, input: [256, 16], block: 256 * (64 + 64 + 16) * 4 },
  { name: "convolutions", make: conv, input: [32, 4, 16, 16], block: 32 * 16 * 16 * (16 + 16) * 4 },
];

describe.each(CHAINS)("a training step of $name", ({ make, input, block }) => {
  test("holds less, and runs more, with each block recomputed", () => {
    const x = randn(input);
    const [plain, recomputed] = [plainly, recompute as Wrap].map((wrap) => stepOf(repeat(8, make), x, wrap));
    expect(launchCount(recomputed!)).toBeGreaterThan(launchCount(plain!));
    expect(slotBytes(recomputed!)).toBeLessThan(0.75 * slotBytes(plain!));
  });

  test("holds an input more for each block more, not what lies inside", () => {
    const x = randn(input);
    const [short, long] = [4, 8].map((count) => slotBytes(stepOf(repeat(count, make), x, recompute)));
    const perBlock = (long! - short!) / 4;
    expect(perBlock).toBeLessThan(1.5 * 4 * x.numel());
    const [shortPlain, longPlain] = [4, 8].map((count) => slotBytes(stepOf(repeat(count, make), x, plainly)));
    expect((longPlain! - shortPlain!) / 4).toBeGreaterThan(0.9 * block);
  });

  test("holds still less where groups of blocks are recomputed around them", () => {
    const x = randn(input);
    const nested = repeat(3, () => {
      const inner = repeat(3, make);
      return Object.assign(new nn.Sequential(...inner), {
        forward: (y: Tensor) => inner.reduce((z, each) => recompute((w: Tensor) => each.forward(w), z), y),
      });
    });
    expect(slotBytes(stepOf(nested, x, recompute))).toBeLessThan(slotBytes(stepOf(repeat(9, make), x, recompute)));
  });
});
