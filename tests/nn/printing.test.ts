/** What `String(module)` and the console show: PyTorch's `extra_repr` with flywheel's names. */

import { describe, expect, test } from "vitest";
import { nn, ones, optim, Parameter } from "../../src";
import { openTestDevice } from "../suites/device";

const device = await openTestDevice("cpu");

const inspect = Symbol.for("nodejs.util.inspect.custom");
const inConsole = (value: object): string => (value as Record<symbol, () => string>)[inspect]!();

const LAYERS: readonly (readonly [module: nn.Module, text: string])[] = [
  [new nn.Linear(2, 3), "Linear(inFeatures=2, outFeatures=3, bias=true)"],
  [
    new nn.BatchNorm2d(4, { momentum: null }),
    "BatchNorm2d(4, eps=0.00001, momentum=null, affine=true, trackRunningStats=true)",
  ],
  [
    new nn.SplitBatchNorm2d(4, 2),
    "SplitBatchNorm2d(4, eps=0.00001, momentum=0.1, affine=true, trackRunningStats=true, numSplits=2)",
  ],
  [new nn.InstanceNorm2d(3), "InstanceNorm2d(3, eps=0.00001, momentum=0.1, affine=false, trackRunningStats=false)"],
  [new nn.Conv2d(3, 4, 3), "Conv2d(3, 4, kernelSize=[3,3], stride=1)"],
  [
    new nn.Conv2d(4, 4, 3, { stride: 2, padding: 1, dilation: 2, groups: 2, bias: false, paddingMode: "reflect" }),
    'Conv2d(4, 4, kernelSize=[3,3], stride=2, padding=1, dilation=2, groups=2, bias=false, paddingMode="reflect")',
  ],
  [new nn.Conv1d(3, 3, 3, { padding: "same" }), 'Conv1d(3, 3, kernelSize=[3], stride=1, padding="same")'],
  [
    new nn.ConvTranspose2d(2, 2, 3, { stride: 2, outputPadding: 1 }),
    "ConvTranspose2d(2, 2, kernelSize=[3,3], stride=2, outputPadding=1)",
  ],
  [new nn.LeakyReLU(), "LeakyReLU(negativeSlope=0.01)"],
  [new nn.ELU(), "ELU(alpha=1)"],
  [new nn.PReLU(), "PReLU(numParameters=1)"],
  [new nn.Threshold(1, 2), "Threshold(threshold=1, value=2)"],
  [new nn.GELU(), 'GELU(approximate="none")'],
  [new nn.Softplus({ beta: 2 }), "Softplus(beta=2, threshold=20)"],
  [new nn.Hardtanh(), "Hardtanh(minVal=-1, maxVal=1)"],
  [new nn.Hardshrink(), "Hardshrink(0.5)"],
  [new nn.GLU(), "GLU(dim=-1)"],
  [new nn.LogSoftmax(1), "LogSoftmax(dim=1)"],
  [new nn.ReLU(), "ReLU()"],
  [new nn.Flatten(), "Flatten(startDim=1, endDim=-1)"],
  [new nn.Unflatten(1, [2, 2]), "Unflatten(dim=1, unflattenedSize=[2,2])"],
  [
    new nn.CrossEntropyLoss({ weight: ones([2]), labelSmoothing: 0.1, reduction: "sum" }),
    'CrossEntropyLoss(labelSmoothing=0.1, reduction="sum")',
  ],
  [
    new nn.MultiheadAttention(4, 2),
    "MultiheadAttention(\n  embedDim=4, numHeads=2, batchFirst=false\n  (out_proj): Linear(inFeatures=4, outFeatures=4, bias=true)\n)",
  ],
];

describe("modules", () => {
  test.each(LAYERS.map(([module, text]) => ({ module, text })))("$text", ({ module, text }) => {
    expect(String(module)).toBe(text);
    expect(inConsole(module)).toBe(text);
  });
});

test("a device", () => {
  expect(inConsole(device)).toBe(`Device(${device.name})`);
  expect(String(device)).toBe(device.name);
});

test("an optimizer", () => {
  const optimizer = new optim.SGD(
    [{ params: [new Parameter(ones([2]))] }, { params: [new Parameter(ones([2]))], lr: 0.5 }],
    { lr: 0.1, momentum: 0.9 },
  );
  const group = (index: number, lr: number): string =>
    `Parameter Group ${index} (1 parameters)\n    classical: false\n    dampening: 0\n    lr: ${lr}\n    maximize: false\n    momentum: 0.9\n    nesterov: false\n    weightDecay: 0\n`;
  expect(String(optimizer)).toBe(`SGD (\n${group(0, 0.1)}\n${group(1, 0.5)})`);
  expect(inConsole(optimizer)).toBe(String(optimizer));
});
