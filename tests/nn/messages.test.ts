/** What people who know PyTorch write at first, and what errors say to them. */

import { describe, expect, test } from "vitest";
import * as flywheel from "../../src";
import {
  AutogradError,
  DTypeError,
  F,
  nn,
  ones,
  optim,
  Parameter,
  StateDictError,
  tensor,
  ValueError,
} from "../../src";
import { openTestDevice } from "../suites/device";

await openTestDevice("cpu");

const untyped = (value: unknown): never => value as never;
const model = new nn.Linear(3, 2);
const sgd = (): optim.SGD => new optim.SGD(model.parameters(), { lr: 0.1 });
const weight = (): Parameter => new Parameter(ones([2, 2]));
const scores = ones([4, 3]);

type Case = readonly [call: string, kind: new (message: string) => Error, message: string, act: () => unknown];

const CASES: readonly Case[] = [
  ["new Dropout({ p })", ValueError, "Dropout: p must be in [0, 1], got an object with p", () => new nn.Dropout(untyped({ p: 0.5 }))],
  ["new StepLR(o, { stepSize })", ValueError, "StepLR: stepSize must be positive, got an object with stepSize", () => new optim.StepLR(sgd(), untyped({ stepSize: 2 }))],
  ["new OneCycleLR(o, { maxLr, totalSteps })", ValueError, "OneCycleLR: maxLr must be a number, or a list of one a group, got an object with maxLr, totalSteps", () => new optim.OneCycleLR(sgd(), untyped({ maxLr: 1, totalSteps: 10 }), untyped(undefined))],
  ["new StepLR(model)", ValueError, "StepLR: there must be an optimizer, got a Linear", () => new optim.StepLR(untyped(model), 2)],
  ["normal_(w, { std })", ValueError, "normal_: mean must be a number, got an object with std", () => nn.init.normal_(weight(), untyped({ std: 0.01 }))],
  ["uniform_(w, { a })", ValueError, "uniform_: a must be a number, got an object with a", () => nn.init.uniform_(weight(), untyped({ a: -1 }))],
  ["constant_(w)", ValueError, "constant_: value must be a number, got undefined", () => nn.init.constant_(weight(), untyped(undefined))],
  ["new SGD(params)", ValueError, "SGD: lr must be given, got none. Pass { lr: ... }.", () => new optim.SGD(model.parameters(), untyped(undefined))],
  ["new SGD(params, { momentum })", ValueError, "SGD: lr must be given, got none", () => new optim.SGD(model.parameters(), untyped({ momentum: 0.9 }))],
  ["new SGD(params, { learningRate })", ValueError, "names of lr, momentum, dampening, weightDecay, nesterov, maximize, classical, got learningRate", () => new optim.SGD(model.parameters(), untyped({ learningRate: 0.1 }))],
  ["new SGD(namedParameters())", DTypeError, "Pass model.parameters(): those of namedParameters() are pairs.", () => new optim.SGD(untyped(model.namedParameters()), { lr: 1 })],
  ["new SGD([{ lr }])", DTypeError, "SGD: it can only train parameters, got an object with lr", () => new optim.SGD(untyped([{ lr: 1 }]), { lr: 1 })],
  ["crossEntropy(scores, i32 one-hot)", DTypeError, 'are probabilities of the classes and must be floats, got i32. Cast them with .to("f32")', () => F.crossEntropy(scores, scores.to("i32"))],
  ["noGrad()", ValueError, "noGrad: the body must be a function, got undefined", () => flywheel.noGrad(untyped(undefined))],
  ["noGrad(3)", ValueError, "noGrad: the body must be a function, got 3", () => flywheel.noGrad(untyped(3))],
  ["recompute(3)", ValueError, "recompute: fn must be a function, got 3", () => flywheel.recompute(untyped(3))],
  ["withDevice(device, 3)", ValueError, "withDevice: the body must be a function, got 3", () => flywheel.withDevice(scores.device, untyped(3))],
  ["grad(3, 4)", DTypeError, "grad: it takes a list of tensors, got 3", () => flywheel.grad(untyped(3), untyped(4))],
  ["grad([1], [2])", DTypeError, "grad: it takes a tensor, got 1", () => flywheel.grad(untyped([1]), untyped([2]))],
  ["clipGradNorm_(3, 1)", DTypeError, "clipGradNorm_: there must be a list of parameters, got 3", () => nn.utils.clipGradNorm_(untyped(3), 1)],
  ["clipGradNorm_(model, 1)", DTypeError, "clipGradNorm_: there must be a list of parameters, got a Linear", () => nn.utils.clipGradNorm_(untyped(model), 1)],
  ["clipGradNorm_(namedParameters(), 1)", DTypeError, "only gradients of parameters can be clipped, got an array", () => nn.utils.clipGradNorm_(untyped(model.namedParameters()), 1)],
  ["clipGradValue_(null, 1)", DTypeError, "clipGradValue_: there must be a list of parameters, got null", () => nn.utils.clipGradValue_(untyped(null), 1)],
  ["clipGradNorm_(params, { maxNorm })", ValueError, "clipGradNorm_: maxNorm must not be negative, got an object with maxNorm", () => nn.utils.clipGradNorm_(model.parameters(), untyped({ maxNorm: 1 }))],
  ["customVjp(3)", ValueError, "customVjp: forward must be a function, got 3", () => flywheel.customVjp(untyped(3), untyped(3))],
  ["a rule without a list", AutogradError, "customVjp: the rule must return a list of gradients, one an input, got ", () => {
    flywheel.customVjp((x) => x.exp(), untyped((g: unknown) => g))(tensor([1, 2]).requiresGrad_()).sum().backward();
  }],
  ["new ModuleList([{}])", ValueError, "ModuleList: elements must be of class Module, got an object", () => new nn.ModuleList(untyped([{}]))],
  ["a tensor for a step size", ValueError, "StepLR: stepSize must be positive, got Tensor", () => new optim.StepLR(sgd(), untyped(tensor([-1])))],
]; // prettier-ignore

describe("errors", () => {
  test.each(CASES)("%s", (_, kind, message, act) => {
    expect(act).toThrow(kind);
    expect(act).toThrow(message);
    expect(act).not.toThrow("[object");
  });

  test("readState(null)", async () => {
    await expect(nn.readState(untyped(null))).rejects.toThrow(StateDictError);
    await expect(nn.readState(untyped({ a: 1 }))).rejects.toThrow("readState: it takes a tensor, got 1");
  });
});
