/** detectAnomaly: the first NaN is named, with the line that made it, and nothing is changed on the way. */

import { afterEach, describe, expect, test } from "vitest";
import { ones, tensor } from "../../src/creation";
import { AnomalyError } from "../../src/errors";
import * as F from "../../src/functional";
import { customVjp, detectAnomaly, isAnomalyEnabled, recompute, setDetectAnomaly } from "../../src/gradient";
import * as nn from "../../src/nn";
import { SGD } from "../../src/optim";
import { manualSeed, randn } from "../../src/random";
import { read, type Tensor } from "../../src/tensor";

/** The place of the line above the one that calls this, `anomaly.ts:12`. */
const lineAbove = (): string =>
  `anomaly.ts:${Number(/anomaly\.ts:(\d+)/.exec(new Error().stack!.split("\n")[2]!)![1]) - 1}`;

/** What is found in what a function computes. */
async function anomalyIn(body: () => unknown): Promise<AnomalyError> {
  const error = await detectAnomaly(body).then(
    () => null,
    (reason: unknown) => reason,
  );
  expect(error).toBeInstanceOf(AnomalyError);
  return error as AnomalyError;
}

export function anomalies(): void {
  afterEach(() => {
    expect(isAnomalyEnabled()).toBe(false);
  });

  describe("names the first op", () => {
    test("whose result has a NaN", async () => {
      let line = "";
      const error = await anomalyIn(() => {
        const x = tensor([[1, 2], [3, -4]]); // prettier-ignore
        const scaled = x.mul(2);
        const y = scaled.log();
        line = lineAbove();
        return y.exp().sum();
      });
      expect([error.op, error.phase]).toEqual(["log", "forward"]);
      expect(error.message).toMatch(
        /detectAnomaly: values must have no NaN, got one at \[1, 1\] of \[2, 2\], in log, made at/,
      );
      expect(error.message).toContain(line);
      expect(error.stackOfOp).toContain(line);
    });

    test("whose gradient has a NaN, and which of its inputs", async () => {
      let line = "";
      const x = tensor([4, 0], { requiresGrad: true });
      const error = await anomalyIn(() => {
        const root = x.mul(1).sqrt();
        line = lineAbove();
        root
          .mul(tensor([1, 0]))
          .sum()
          .backward(); // 0 * Infinity
      });
      expect([error.op, error.phase]).toEqual(["sqrt", "backward"]);
      expect(error.message).toMatch(
        /gradients must have no NaN, got one at \[1\] of \[2\], in the gradient of input 0 of sqrt, made at/,
      );
      expect(error.message).toContain(line);
    });

    test("of a composed function, by the function's name", async () => {
      let line = "";
      const error = await anomalyIn(() => {
        const loss = F.crossEntropy(tensor([[1, Infinity]]), tensor([1], { dtype: "i32" })); // exp(Infinity - Infinity)
        line = lineAbove();
        return loss;
      });
      expect(error.message).toMatch(/ in crossEntropy, made at/);
      expect(error.message).toContain(line);
    });

    test("where gradients add up to one", async () => {
      const x = tensor([1], { requiresGrad: true });
      const error = await anomalyIn(() => {
        const y = x.mul(1);
        y.mul(2)
          .sub(y)
          .backward(tensor([Infinity])); // 2 * Infinity - Infinity
      });
      expect(error.phase).toBe("backward");
      expect(error.message).toMatch(/in the gradient of the result of mul/);
    });

    test("in a rule of one's own, and in what is recomputed", async () => {
      const rule = customVjp(
        (x) => x.mul(2),
        (gradOut) => [gradOut.mul(NaN)],
      );
      const x = ones([2]).requiresGrad_();
      expect((await anomalyIn(() => rule(x).sum().backward())).message).toMatch(/in mul, made at .*anomaly\.ts/); // in the rule
      const error = await anomalyIn(() =>
        recompute((y: Tensor) => y.sub(1).sqrt().mul(0), ones([2]).requiresGrad_())
          .sum()
          .backward(),
      );
      expect([error.op, error.phase]).toEqual(["sqrt", "backward"]);
    });
  });

  describe("names what was given with a NaN", () => {
    test("a parameter, by its name", async () => {
      const model = new nn.Sequential(new nn.Linear(2, 2));
      model.parameters();
      const weight = model.parameters()[0]!;
      weight.assign(weight.mul(NaN));
      const error = await anomalyIn(() =>
        model
          .forward(ones([1, 2]))
          .sum()
          .backward(),
      );
      expect(error.op).toBe("0.weight");
      expect(error.message).toMatch(/in 0\.weight\. It was given so/);
    });

    test("data", async () => {
      const error = await anomalyIn(() => tensor([1, NaN]).add(1).sum());
      expect(error.message).toMatch(/got one at \[1\] of \[2\], in the data of a tensor, made at .*anomaly\.ts/);
      const x = tensor([NaN]);
      expect((await anomalyIn(() => x.add(1))).message).toMatch(/in the data of a tensor\. It was given so/);
    });
  });

  describe("in a training step", () => {
    /** A step whose loss is NaN where `scale` is negative. */
    function step(model: nn.Linear, optimizer: SGD, scale: number): Tensor {
      optimizer.zeroGrad();
      const loss = model
        .forward(ones([3, 2]))
        .square()
        .add(1)
        .mul(scale)
        .log()
        .mean();
      loss.backward();
      optimizer.step();
      return loss;
    }

    test("is thrown by the first read after it, or when the function is over", async () => {
      const model = new nn.Linear(2, 2);
      const optimizer = new SGD(model.parameters(), { lr: 0.1 });
      const read = await anomalyIn(async () => {
        await step(model, optimizer, 1).item();
        await step(model, optimizer, -1).item();
        expect.unreachable("the read throws");
      });
      expect(read.op).toBe("log");
      const other = new nn.Linear(2, 2);
      const unread = await anomalyIn(() => void step(other, new SGD(other.parameters(), { lr: 0.1 }), -1));
      expect(unread.op).toBe("log");
    });

    test("finds nothing where there is nothing, and changes no value", async () => {
      const run = async (isChecked: boolean): Promise<Iterable<number>[]> => {
        manualSeed(2);
        const model = new nn.Sequential(
          new nn.Conv2d(1, 3, 3),
          new nn.BatchNorm2d(3),
          new nn.ReLU(),
          new nn.MaxPool2d(2),
          new nn.Flatten(),
          new nn.Dropout(0.2),
          new nn.Linear(12, 4),
        );
        const optimizer = new SGD(model.parameters(), { lr: 0.1, momentum: 0.9, weightDecay: 1e-3 });
        const [x, y] = [randn([5, 1, 6, 6]), tensor([0, 1, 2, -100, 3], { dtype: "i32" })];
        const train = (): Tensor[] =>
          [0, 1].map(() => {
            optimizer.zeroGrad();
            const features = model.forward(x);
            const loss = F.crossEntropy(F.normalize(features).clamp(-0.9, 0.9).div(0.2), y).add(
              features.std().mul(1e-3),
            );
            loss.backward();
            optimizer.step();
            return loss;
          });
        const losses = isChecked ? await detectAnomaly(train) : train();
        return read([...losses, ...model.parameters(), ...model.buffers()]);
      };
      const [checked, plain] = [await run(true), await run(false)];
      checked.forEach((values, i) =>
        expect([...values], `value ${i}`).toEqual([...plain[i]!].map((value) => expect.closeTo(value, 5) as number)),
      );
    });
  });

  test("is not what an earlier search left behind", async () => {
    await anomalyIn(async () => {
      const x = tensor([-1], { requiresGrad: true });
      x.sqrt().sum().backward();
      await x.grad!.data();
    });
    const y = tensor([4], { requiresGrad: true });
    await detectAnomaly(() => {
      y.sqrt().sum().backward();
    });
    expect(await y.grad!.toArray()).toEqual([0.25]);
  });

  test("may overlap, and is off when all have ended", async () => {
    const search = (): Promise<Tensor> => detectAnomaly(() => tensor([4]).sqrt());
    await Promise.all([search(), search()]);
    expect(isAnomalyEnabled()).toBe(false);
  });

  test("is off until it is switched on, and off again afterwards", async () => {
    const bad = (): Tensor => tensor([-1]).sqrt();
    expect(await bad().item()).toBeNaN();
    setDetectAnomaly(true);
    try {
      expect(isAnomalyEnabled()).toBe(true);
      await expect(bad().item()).rejects.toBeInstanceOf(AnomalyError);
      expect(await tensor([4]).sqrt().item()).toBe(2); // told once
      await bad().realize();
    } finally {
      setDetectAnomaly(false);
    }
    expect(await tensor([4]).sqrt().item()).toBe(2);
    expect(await detectAnomaly(() => "text")).toBe("text");
    expect(await detectAnomaly(async () => (await tensor([4]).sqrt().item()) + 1)).toBe(3);
    await expect(detectAnomaly(() => { throw new Error("inside"); })).rejects.toThrow("inside"); // prettier-ignore
  });
}
