/** Options that are not understood are errors: PyTorch's positions and spellings must not train something else. */

import {
  Buffer,
  F,
  init,
  nn,
  ones,
  openDevice,
  optim,
  Parameter,
  type Tensor,
  tensor,
  valueAndGrad,
  ValueError,
} from "flywheel";
import { MoCo } from "flywheel/moco";
import { beforeAll, expect, test } from "vitest";

beforeAll(async () => {
  await init({ device: "cpu" });
});

/** As a caller without types writes it. */
const untyped = (value: unknown): never => value as never;
const parameters = (): Parameter[] => new nn.Linear(2, 2).parameters();
const image = (): Tensor => ones([1, 1, 4, 4]);

const wrong: Record<string, () => unknown> = {
  "F.dropout(x, 0.5, false)": () => F.dropout(ones([8]), untyped(0.5)),
  "F.maxPool2d(x, 2, 1)": () => F.maxPool2d(image(), 2, untyped(1)),
  "F.avgPool2d ceil_mode": () => F.avgPool2d(image(), 2, untyped({ ceil_mode: true })),
  "F.conv2d(x, w, null, 2)": () => F.conv2d(image(), ones([1, 1, 3, 3]), null, untyped(2)),
  "F.conv2d padding full": () => F.conv2d(image(), ones([1, 1, 3, 3]), null, { padding: untyped("full") }),
  "F.convTranspose2d output_padding": () =>
    F.convTranspose2d(image(), ones([1, 1, 3, 3]), null, untyped({ output_padding: 1 })),
  "F.interpolate(x)": () => F.interpolate(image()),
  "F.interpolate(x, 8)": () => F.interpolate(image(), untyped(8)),
  "F.interpolate align_corners": () => F.interpolate(image(), untyped({ size: 8, align_corners: true })),
  "F.gridSample(x, grid, nearest)": () => F.gridSample(image(), ones([1, 2, 2, 2]), untyped("nearest")),
  "F.adaptiveMaxPool2d(x, 1, true)": () => F.adaptiveMaxPool2d(image(), 1, untyped(true)),
  "F.pad(x, [1], reflect)": () => F.pad(image(), [1, 1], untyped("reflect")),
  "crossEntropy label_smoothing": () =>
    F.crossEntropy(ones([1, 2]), tensor([1], { dtype: "i32" }), untyped({ label_smoothing: 0.1 })),
  "nllLoss size_average": () =>
    F.nllLoss(ones([1, 2]), tensor([1], { dtype: "i32" }), untyped({ size_average: false })),
  "normalize(x, 1)": () => F.normalize(ones([2, 2]), untyped(1)),
  "cosineSimilarity(x, y, 0)": () => F.cosineSimilarity(ones([2]), ones([2]), untyped(0)),
  "sum keepdim": () => ones([4, 4]).sum(1, untyped({ keepdim: true })),
  "mean(1, true)": () => ones([4, 4]).mean(1, untyped(true)),
  "max(1, true)": () => ones([4, 4]).max(1, untyped(true)),
  "var(1, false)": () => ones([4, 4]).var(1, untyped(false)),
  "topk(2, 1, true)": () => ones([4, 4]).topk(2, 1, untyped(true)),
  "sort(1, true)": () => ones([4, 4]).sort(1, untyped(true)),
  "kthvalue(1, 0, true)": () => ones([4, 4]).kthvalue(1, 0, untyped(true)),
  "median(0, true)": () => ones([4, 4]).median(0, untyped(true)),
  "quantile(0.5, 0, true)": () => ones([4, 4]).quantile(0.5, 0, untyped(true)),
  "var unbiased and correction": () => ones([4]).var(0, { unbiased: true, correction: 0 }),
  "norm nuc": () => ones([4, 4]).norm(untyped("nuc")),
  "histc(0)": () => ones([4]).histc(0),
  "diff(-1)": () => ones([4]).diff(-1),
  "softmax()": () => ones([4, 4]).softmax(untyped(undefined)),
  "F.logSoftmax(x, { dim })": () => F.logSoftmax(ones([4, 4]), untyped({ dim: 1 })),
  "Linear(3, 2, false)": () => new nn.Linear(3, 2, untyped(false)),
  "Conv2d(1, 8, 3, 1, 1)": () => new nn.Conv2d(1, 8, 3, untyped(1)),
  "Conv2d pading": () => new nn.Conv2d(1, 8, 3, untyped({ pading: 1 })),
  "Conv1d padding_mode": () => new nn.Conv1d(1, 1, 3, untyped({ padding_mode: "reflect" })),
  "Conv2d paddingMode mirror": () => new nn.Conv2d(1, 1, 3, { paddingMode: untyped("mirror") }),
  "ConvTranspose2d paddingMode": () => new nn.ConvTranspose2d(1, 1, 3, untyped({ paddingMode: "reflect" })),
  "Upsample(8)": () => new nn.Upsample(untyped(8)),
  "ZeroPad2d([1, 2])": () => new nn.ZeroPad2d(untyped([1, 2])),
  "MaxPool2d(3, 2)": () => new nn.MaxPool2d(3, untyped(2)),
  "BatchNorm2d(3, 1e-3)": () => new nn.BatchNorm2d(3, untyped(1e-3)),
  "SGD weight_decay": () => new optim.SGD(parameters(), untyped({ lr: 0.1, weight_decay: 1 })),
  "SGD group weight_decay": () => new optim.SGD([untyped({ params: parameters(), weight_decay: 1 })], { lr: 0.1 }),
  "StepLR(optimizer, 10, 0.5)": () => new optim.StepLR(new optim.SGD(parameters(), { lr: 1 }), 10, untyped(0.5)),
  "CosineAnnealingLR eta_min": () =>
    new optim.CosineAnnealingLR(new optim.SGD(parameters(), { lr: 1 }), 10, untyped({ eta_min: 0.1 })),
  "Parameter requires_grad": () => new Parameter(ones([2]), untyped({ requires_grad: false })),
  "Parameter.zeroGrad(false)": () => new Parameter(ones([2])).zeroGrad(untyped(false)),
  "Parameter.zeroGrad set_to_none": () => new Parameter(ones([2])).zeroGrad(untyped({ set_to_none: false })),
  "Buffer(x, false)": () => new Buffer(ones([2]), untyped(false)),
  "Module.zeroGrad(false)": () => new nn.Linear(2, 2).zeroGrad(untyped(false)),
  "Module.loadStateDict(sd, false)": () => new nn.Linear(2, 2).loadStateDict({}, untyped(false)),
  "Optimizer.zeroGrad(false)": () => new optim.SGD(parameters(), { lr: 1 }).zeroGrad(untyped(false)),
  "valueAndGrad create_graph": () => valueAndGrad((x) => x.sum(), untyped({ create_graph: true })),
  "sum keepDim 1": () => ones([4, 4]).sum(1, { keepDim: untyped(1) }),
  "layerNorm eps '1'": () => F.layerNorm(ones([2, 2]), 2, { eps: untyped("1") }),
  "nllLoss ignoreIndex 0.5": () => F.nllLoss(ones([1, 2]), tensor([1], { dtype: "i32" }), { ignoreIndex: 0.5 }),
  "MoCo K": () => new MoCo(() => new nn.Linear(2, 2), untyped({ K: 8 })),
};

for (const [name, call] of Object.entries(wrong)) test(name, () => expect(call).toThrow(ValueError));

test("init takes an object", async () => {
  await expect(init(untyped("cpu"))).rejects.toThrow(/init: options must be one object/);
});

test("openDevice names itself", async () => {
  await expect(openDevice("cpu", untyped({ debugg: true }))).rejects.toThrow(/openDevice: .*got debugg/);
  await expect(openDevice(untyped("gpu"))).rejects.toThrow('openDevice: device must be "webgpu" or "cpu", got "gpu"');
});

test("the message names what was meant", () => {
  expect(wrong["sum keepdim"]).toThrow("sum: options must have names of dtype, keepDim, got keepdim. Write keepDim.");
  expect(wrong["SGD weight_decay"]).toThrow(/got weight_decay\. Write weightDecay\./);
});
