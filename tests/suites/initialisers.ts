/** nn.init: bounds and distributions by PyTorch's formulas, and what is written exactly. */

import { describe, expect, test } from "vitest";
import { type Generator as RandomGenerator, Generator, nn, Parameter, ShapeError, ValueError, zeros } from "../../src";
import { chiSquare, kolmogorov, normalDistribution } from "../helpers/statistics";

const { init } = nn;

/** Rows and columns differ, so that fans do. */
const weight = (): Parameter => new Parameter(zeros([40, 20, 2, 3])); // fanIn 120, fanOut 240

const uniform = (low: number, high: number) => (x: number) => Math.min(1, Math.max(0, (x - low) / (high - low)));
const normal = (mean: number, std: number) => (x: number) => normalDistribution((x - mean) / std);

type Draw = (weight: Parameter, options: { generator: RandomGenerator }) => Parameter;
type Distribution = (x: number) => number;

const DISTRIBUTIONS: Readonly<Record<string, readonly [draw: Draw, distribution: Distribution]>> = {
  uniform_: [(w, o) => init.uniform_(w, -1, 3, o), uniform(-1, 3)],
  normal_: [(w, o) => init.normal_(w, 1, 2, o), normal(1, 2)],
  truncNormal_: [
    (w, o) => init.truncNormal_(w, 0.5, 2, -1, 2, o),
    (x) => {
      const [low, high] = [normal(0.5, 2)(-1), normal(0.5, 2)(2)];
      return (normal(0.5, 2)(x) - low) / (high - low);
    },
  ],
  xavierUniform_: [(w, o) => init.xavierUniform_(w, 2, o), uniform(-2 * Math.sqrt(6 / 360), 2 * Math.sqrt(6 / 360))],
  "xavierNormal_ with options": [(w, o) => init.xavierNormal_(w, { gain: 3, ...o }), normal(0, 3 * Math.sqrt(2 / 360))],
  kaimingUniform_: [
    (w, o) => init.kaimingUniform_(w, { a: Math.sqrt(5), ...o }),
    uniform(-1 / Math.sqrt(120), 1 / Math.sqrt(120)),
  ],
  "kaimingNormal_ of fanOut": [
    (w, o) => init.kaimingNormal_(w, { mode: "fanOut", nonlinearity: "relu", ...o }),
    normal(0, Math.sqrt(2 / 240)),
  ],
};

export function initialisers(): void {
  describe("distributions", () => {
    for (const [name, [draw, distribution]] of Object.entries(DISTRIBUTIONS)) {
      test(name, async () => {
        const parameter = weight();
        expect(draw(parameter, { generator: new Generator(5) })).toBe(parameter);
        const values = await parameter.data();
        expect(kolmogorov(values, distribution)).toBeLessThan(1);
        expect(await draw(weight(), { generator: new Generator(5) }).data()).toEqual(values);
      });
    }

    test("truncNormal_ stays inside, far from the mean too", async () => {
      const values = await init.truncNormal_(weight(), 0, 1, 2, 3, { generator: new Generator(1) }).data();
      expect(values.every((x) => x >= 2 && x <= 3)).toBe(true);
      const inside = (x: number): number =>
        (normalDistribution(x) - normalDistribution(2)) / (normalDistribution(3) - normalDistribution(2));
      expect(kolmogorov(values, inside)).toBeLessThan(1);
    });
  });

  test("constants", async () => {
    expect(new Set(await init.ones_(weight()).data())).toEqual(new Set([1]));
    expect(new Set(await init.zeros_(init.ones_(weight())).data())).toEqual(new Set([0]));
    expect(new Set(await init.constant_(weight(), 0.5).data())).toEqual(new Set([0.5]));
    expect(await init.eye_(new Parameter(zeros([2, 3]))).toArray()).toEqual([
      [1, 0, 0],
      [0, 1, 0],
    ]);
  });

  test("dirac_ writes PyTorch's ones", async () => {
    const onesOf = async (shape: readonly number[], groups?: number): Promise<number[]> => {
      const values = await init.dirac_(init.ones_(new Parameter(zeros(shape))), groups).data();
      return [...values.keys()].filter((i) => values[i] === 1);
    };
    expect(await onesOf([4, 2, 3])).toEqual([1, 10]);
    expect(await onesOf([4, 2, 2, 3], 2)).toEqual([4, 22, 28, 46]);
    expect(await onesOf([5, 2, 3, 3, 3])).toEqual([13, 94]);
    expect(() => init.dirac_(new Parameter(zeros([4, 2])))).toThrow(ShapeError);
    expect(() => init.dirac_(new Parameter(zeros([5, 2, 3])), 2)).toThrow(ShapeError);
  });

  test("orthogonal_: rows or columns of length gain, at right angles, of either sign", async () => {
    for (const shape of [
      [6, 4],
      [4, 6],
      [5, 2, 3],
      [3, 3],
    ] as const) {
      const w = init.orthogonal_(new Parameter(zeros(shape)), 2, { generator: new Generator(3) }).reshape(shape[0], -1);
      const isTall = w.size(0) > w.size(1);
      const products = (await (isTall ? w.t().matmul(w) : w.matmul(w.t())).toArray()) as number[][];
      products.forEach((row, i) => row.forEach((x, j) => expect(x).toBeCloseTo(i === j ? 4 : 0, 5)));
    }
    const generator = new Generator(4);
    let positive = 0;
    for (let i = 0; i < 200; i++)
      positive += Number((await init.orthogonal_(new Parameter(zeros([2, 2])), 1, { generator }).data())[0]! > 0);
    expect(chiSquare([positive, 200 - positive], [0.5, 0.5])).toBeLessThan(1);
    expect(() => init.orthogonal_(new Parameter(zeros([4])))).toThrow(ShapeError);
  });

  test("sparse_ leaves a share of each column 0", async () => {
    const rows = (await init
      .sparse_(new Parameter(zeros([10, 30])), 0.25, 2, { generator: new Generator(3) })
      .toArray()) as number[][];
    for (let column = 0; column < 30; column++) expect(rows.filter((row) => row[column] === 0).length).toBe(3);
    expect(
      kolmogorov(
        rows.flat().filter((x) => x !== 0),
        normal(0, 2),
      ),
    ).toBeLessThan(1);
    expect(() => init.sparse_(new Parameter(zeros([4])), 0.5)).toThrow(ShapeError);
    expect(() => init.sparse_(new Parameter(zeros([4, 4])), 2)).toThrow(ValueError);
  });

  test("gains and fans are PyTorch's", () => {
    expect(init.calculateFans([8, 4, 3, 3])).toEqual({ fanIn: 36, fanOut: 72 });
    const gains = (
      ["linear", "conv2d", "convTranspose2d", "sigmoid", "tanh", "relu", "leakyRelu", "selu"] as const
    ).map((name) => init.calculateGain(name));
    expect(gains).toEqual([1, 1, 1, 1, 1.6666666666666667, 1.4142135623730951, 1.4141428569978354, 0.75]);
    expect(init.calculateGain("leakyRelu", 0.2)).toBe(1.3867504905630728);
  });

  test("misuse is an error", () => {
    const untyped = (value: unknown): never => value as never;
    expect(() => init.calculateFans([8])).toThrow(ShapeError);
    expect(() => init.calculateGain(untyped("leaky_relu"))).toThrow(/nonlinearity must be one of leakyRelu, linear/);
    expect(() => init.kaimingNormal_(weight(), { mode: untyped("fan_out") })).toThrow(/"fanIn" or "fanOut"/);
    expect(() => init.kaimingNormal_(weight(), untyped({ non_linearity: "relu" }))).toThrow(/Write nonlinearity/);
    expect(() => init.xavierUniform_(weight(), untyped({ gian: 2 }))).toThrow(ValueError);
    expect(() => init.uniform_(weight(), 0, 1, untyped({ seed: 1 }))).toThrow(ValueError);
    expect(() => init.normal_(weight(), 0, -1)).toThrow(ValueError);
    expect(() => init.truncNormal_(weight(), 0, 1, 2, -2)).toThrow(ValueError);
    expect(() => init.truncNormal_(weight(), 0, 0)).toThrow(ValueError);
    expect(() => init.eye_(weight())).toThrow(ShapeError);
  });
}
