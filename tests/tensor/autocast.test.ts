/** autocast: which dtypes come out, against PyTorch's lists of ops for CUDA; and that gradients go through. */

import { beforeAll, describe, expect, test } from "vitest";
import {
  autocast,
  AutogradError,
  customVjp,
  F,
  isAutocastEnabled,
  manualSeed,
  noGrad,
  ones,
  randn,
  tensor,
  type Tensor,
  tensordot,
} from "../../src";
import type { Node } from "../../src/graph/node";
import { BatchNorm1d, Linear, MultiheadAttention, Parameter, ReLU, Sequential } from "../../src/nn";
import { GradScaler, SGD } from "../../src/optim";
import { openTestDevice } from "../suites/device";

beforeAll(async () => {
  await openTestDevice("cpu");
});

const f32 = (...shape: number[]): Tensor => ones(shape).mul(0.5);
const f16 = (...shape: number[]): Tensor => f32(...shape).half();

describe("dtypes of results", () => {
  const images = (): Tensor => f32(2, 3, 5, 5);
  test.each<[string, () => Tensor]>([
    ["matmul", () => f32(2, 3).matmul(f32(3, 2))],
    ["mm", () => f32(2, 3).mm(f32(3, 2))],
    ["bmm", () => f32(2, 2, 3).bmm(f32(2, 3, 2))],
    ["mv", () => f32(2, 3).mv(f32(3))],
    ["addmm", () => f32(2, 2).addmm(f32(2, 3), f32(3, 2))],
    ["of mixed operands", () => f32(2, 3).matmul(f16(3, 2))],
    ["linear", () => F.linear(f32(2, 3), f32(4, 3), f32(4))],
    ["conv1d", () => F.conv1d(f32(2, 3, 5), f32(4, 3, 3), f32(4))],
    ["conv2d", () => F.conv2d(images(), f32(4, 3, 3, 3), f32(4))],
    ["convTranspose2d", () => F.convTranspose2d(images(), f32(3, 4, 3, 3), f32(4))],
    ["prelu", () => F.prelu(f32(2, 3), f32(1))],
    ["relu of f16", () => f16(2).relu()],
    ["tanh of f16", () => f16(2).tanh()],
    ["gelu of f16", () => F.gelu(f16(2))],
    ["elu of f16", () => F.elu(f16(2))],
    ["mean of f16", () => f16(2, 3).mean(1)],
    ["batchNorm of f16", () => F.batchNorm(f16(4, 3), null, null, { weight: f32(3), bias: f32(3), training: true })],
    ["maxPool2d of f16", () => F.maxPool2d(f16(1, 1, 4, 4), 2)],
    ["times a number", () => f16(2).mul(3)],
  ])("%s: f16", (_name, run) => {
    expect(autocast(run).dtype).toBe("f16");
  });

  test.each<[string, (x: Tensor) => Tensor]>([
    ["exp", (x) => x.exp()],
    ["expm1", (x) => x.expm1()],
    ["log", (x) => x.log()],
    ["log2", (x) => x.log2()],
    ["log10", (x) => x.log10()],
    ["log1p", (x) => x.log1p()],
    ["reciprocal", (x) => x.reciprocal()],
    ["rsqrt", (x) => x.rsqrt()],
    ["pow", (x) => x.pow(2)],
    ["pow of a fraction", (x) => x.pow(1.5)],
    ["acos", (x) => x.acos()],
    ["cosh", (x) => x.cosh()],
    ["tan", (x) => x.tan()],
    ["sum", (x) => x.sum()],
    ["prod", (x) => x.prod(0)],
    ["cumsum", (x) => x.cumsum(0)],
    ["norm", (x) => x.norm()],
    ["softmax", (x) => x.softmax(0)],
    ["logSoftmax", (x) => x.logSoftmax(0)],
    ["logsumexp", (x) => x.logsumexp(0)],
    ["softplus", (x) => F.softplus(x)],
    ["layerNorm", (x) => F.layerNorm(x, [4])],
    ["groupNorm", (x) => F.groupNorm(x, 2)],
    ["cosineSimilarity", (x) => F.cosineSimilarity(x, x)],
    ["crossEntropy", (x) => F.crossEntropy(x, tensor([1, 2, 0, 3], { dtype: "i32" }))],
    ["nllLoss", (x) => F.nllLoss(x, tensor([1, 2, 0, 3], { dtype: "i32" }))],
    ["mseLoss", (x) => F.mseLoss(x, x)],
    ["l1Loss", (x) => F.l1Loss(x, x)],
    ["smoothL1Loss", (x) => F.smoothL1Loss(x, x)],
    ["klDiv", (x) => F.klDiv(x, x)],
    ["binaryCrossEntropyWithLogits", (x) => F.binaryCrossEntropyWithLogits(x, x)],
    ["cosineEmbeddingLoss", (x) => F.cosineEmbeddingLoss(x, x, f32(4))],
    ["hingeEmbeddingLoss", (x) => F.hingeEmbeddingLoss(x, f16(4, 4))],
    ["marginRankingLoss", (x) => F.marginRankingLoss(x, x, f16(4, 4))],
    ["tripletMarginLoss", (x) => F.tripletMarginLoss(x, x, x, { reduction: "none" })],
    ["what meets f32", (x) => x.add(f32(4))],
  ])("%s of f16: f32", (_name, run) => {
    expect(autocast(() => run(f16(4, 4))).dtype).toBe("f32");
  });

  test.each<[string, (x: Tensor) => Tensor]>([
    ["dot", (x) => x.dot(x)],
    ["inner", (x) => x.inner(x)],
    ["tensordot", (x) => tensordot(x, x, 1)],
  ])("%s goes by its operands", (_name, run) => {
    expect(autocast(() => [run(f32(4)).dtype, run(f16(4)).dtype])).toEqual(["f32", "f16"]);
  });

  test("f64 and integers are left alone", () => {
    const x = ones([2, 2], { dtype: "f64" });
    const n = ones([2, 2], { dtype: "i32" });
    expect(autocast(() => [x.matmul(x).dtype, n.matmul(n).dtype])).toEqual(["f64", "i32"]);
  });
});

/** The casts to f16 that a result is computed from, of one node. */
const castsOf = (result: Node, source: Node): Node[] =>
  result.inputs.flatMap((input) =>
    input.op.name === "cast" && input.dtype === "f16" && input.inputs[0] === source ? [input] : castsOf(input, source),
  );

describe("the mode", () => {
  test("ends with the function, also where it throws, and can be switched off inside", () => {
    expect(isAutocastEnabled()).toBe(false);
    autocast(() => {
      expect(isAutocastEnabled()).toBe(true);
      autocast(() => expect(isAutocastEnabled()).toBe(false), { enabled: false });
      expect(autocast(() => f32(2, 2).matmul(f32(2, 2)).dtype, { enabled: false })).toBe("f32");
      expect(isAutocastEnabled()).toBe(true);
    });
    expect(() =>
      autocast(() => {
        throw new RangeError("mine");
      }),
    ).toThrow(RangeError);
    expect(isAutocastEnabled()).toBe(false);
    expect(f32(2, 2).matmul(f32(2, 2)).dtype).toBe("f32");
  });

  test("takes no async function, and knows its options", () => {
    expect(() => autocast(async () => Promise.resolve(1))).toThrow(AutogradError);
    expect(() => autocast(() => 1, { dtype: "f16" } as never)).toThrow(/autocast/);
  });

  test("casts a parameter once, but not for gradients what noGrad has cast", async () => {
    const weight = new Parameter(f32(3, 3));
    autocast(() => {
      const quiet = noGrad(() => f32(2, 3).matmul(weight));
      expect(quiet.requiresGrad).toBe(false);
      const [a, b] = [f32(2, 3).matmul(weight), f32(2, 3).matmul(weight)];
      const [quietly, first, second] = [quiet, a, b].map(({ node }) => castsOf(node, weight.node));
      expect(first).toHaveLength(1);
      expect(second![0]).toBe(first![0]);
      expect(quietly).toHaveLength(1);
      expect(quietly![0]).not.toBe(first![0]);
      return a.add(b).sum();
    }).backward();
    expect(await weight.grad!.toArray()).toEqual([
      [2, 2, 2],
      [2, 2, 2],
      [2, 2, 2],
    ]);
  });
});

test("gradients of parameters are f32, and what backward computes inside is the same", async () => {
  const grads = [];
  for (const inside of [true, false]) {
    const weight = new Parameter(tensor([[0.1, -0.7]]));
    const loss = (): Tensor =>
      F.linear(tensor([[1, 2]]), weight)
        .square()
        .sum()
        .log();
    if (inside) {
      autocast(() => {
        loss().backward();
      });
    } else autocast(loss).backward();
    expect(weight.grad!.dtype).toBe("f32");
    grads.push(await weight.grad!.toArray());
  }
  expect(grads[0]).toEqual(grads[1]);
});

test("backward switches autocast off: products of a gradient keep its dtype", () => {
  const seen: unknown[] = [];
  const square = customVjp(
    (x) => x.mul(x),
    (gradOut, [x]) => {
      const product = gradOut.matmul(x!);
      seen.push(isAutocastEnabled(), product.dtype);
      return [product];
    },
  );
  const x = f32(2, 2).requiresGrad_();
  autocast(() => {
    square(x).sum().backward();
  });
  expect(seen).toEqual([false, "f32"]);
});

test("attention runs: products in f16, its softmax in f32", async () => {
  const attention = new MultiheadAttention(8, 2, { batchFirst: true });
  const x = randn([2, 3, 8]);
  const { output: y } = autocast(() => attention.forward(x, x, x));
  expect(y.dtype).toBe("f16");
  expect((await y.data()).every(Number.isFinite)).toBe(true);
});

test("a model learns with autocast and a GradScaler as it does in f32", async () => {
  manualSeed(1);
  const inputs = randn([32, 6]);
  const targets = inputs
    .narrow(1, 0, 1)
    .mul(2)
    .sub(inputs.narrow(1, 1, 1));
  const losses: number[] = [];
  const first: number[] = [];
  for (const isMixed of [false, true]) {
    const model = new Sequential(new Linear(6, 16), new BatchNorm1d(16), new ReLU(), new Linear(16, 1));
    for (const parameter of model.parameters()) {
      const values = Float32Array.from({ length: parameter.numel() }, (_, i) => Math.sin(7 * i) / 3);
      noGrad(() => {
        parameter.assign(tensor(values, { shape: parameter.shape }));
      });
    }
    const optimizer = new SGD(model.parameters(), { lr: 0.05, momentum: 0.9 });
    const scaler = new GradScaler({ enabled: isMixed });
    let loss = tensor(0);
    for (let step = 0; step < 30; step++) {
      optimizer.zeroGrad();
      loss = autocast(() => F.mseLoss(model.forward(inputs), targets), { enabled: isMixed });
      expect(loss.dtype).toBe("f32");
      if (step === 0) first.push(await loss.item());
      scaler.scale(loss).backward();
      await scaler.step(optimizer);
      await scaler.update();
    }
    losses.push(await loss.item());
  }
  const [plain, mixed] = losses as [number, number];
  for (const loss of [plain, mixed]) expect(loss).toBeLessThan(0.5); // from 5, the variance of the targets
  // the first one: inputs, weights and results of two layers are rounded, each by half an ULP; the square doubles that
  const [exact, rounded] = first as [number, number];
  expect(Math.abs(rounded - exact)).toBeLessThan(2 * 6 * 2 ** -11 * exact);
  expect(rounded).not.toBe(exact);
});
