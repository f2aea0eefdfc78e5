/** Errors of arguments are thrown at the user's line: the first frame that is not the library's is the call that was wrong. */

import {
  cat,
  F,
  FlywheelError,
  grad,
  nn,
  noGrad,
  ones,
  optim,
  Parameter,
  recompute,
  stack,
  type Tensor,
  tensor,
  where,
  Buffer,
  customVjp,
} from "flywheel";
import { expect, test } from "vitest";
import { openTestDevice } from "../suites/device";

await openTestDevice("cpu");

/** The line of this file in the first frame of a stack that is not in src. */
function userLine(stack: string): number {
  const frame = stack.split("\n").find((line) => /:\d+:\d+\)?$/.test(line) && !line.includes("/src/"))!;
  return Number(/userLine\.test\.ts:(\d+):\d+/.exec(frame)?.[1]);
}

let called = 0;

/** Notes the line that calls it. */
function at(): void {
  called = userLine(new Error().stack!.replace(/^.*\n.*\n/, ""));
}

const x = ones([2, 3]);
const leaf = ones([2, 3]).requiresGrad_();
const labels = tensor([5, 0], { dtype: "i32" });
const norm = new nn.BatchNorm2d(3);
const layer = new nn.Linear(4, 2);

/** Each call is wrong in what it is given, and notes its line first. */
// prettier-ignore
const CALLS: Readonly<Record<string, () => unknown>> = {
  "a broadcast": () => (at(), x.add(ones([4]))),
  "a dtype": () => (at(), x.bitwiseAnd(1)),
  "a dim": () => (at(), x.sum(2)),
  "a view": () => (at(), x.reshape(4)),
  "a product": () => (at(), x.matmul(x)),
  "a list": () => (at(), cat([x, ones([3])])),
  "another list": () => (at(), stack([x, ones([3])])),
  "a choice": () => (at(), where(x.gt(0), x, ones([4]))),
  "an index": () => (at(), x.gather(1, tensor([[9]], { dtype: "i32" }))),
  "values": () => (at(), tensor([[1], [2, 3]])),
  "a convolution": () => (at(), F.conv2d(ones([1, 2, 4, 4]), ones([1, 3, 3, 3]))),
  "a loss": () => (at(), F.crossEntropy(x, labels)),
  "an option": () => (at(), F.normalize(x, { axis: 1 } as object)),
  "a layer": () => (at(), layer.forward(x)),
  "a layer inside of a layer": () => (at(), new nn.Sequential(layer).forward(x)),
  "a layer in training": () => (at(), norm.forward(x)),
  "a parameter": () => (at(), new Parameter(labels)),
  "state": () => { at(); new Buffer(x).assign(ones([2])); },
  "an optimizer": () => (at(), new optim.SGD([new Parameter(x)], { lr: -1 })),
  "backward": () => { at(); leaf.mul(2).backward(); },
  "backward's gradient": () => { at(); leaf.mul(2).backward(ones([2])); },
  "a gradient": () => (at(), grad(leaf.sum(), x)),
  "a dtype that is none": () => (at(), x.to("f128" as never)),
  "a device that is none": () => (at(), x.to("webgpu" as never)),
  "another device that is none": () => (at(), tensor([1], { device: "cpu" as never })),
  "a rule": () => { const y = customVjp((z) => z.mul(1), () => [])(leaf).sum(); at(); y.backward(); },
  "a call in noGrad": () => noGrad(() => (at(), x.add(ones([4])))),
  "a call in recompute": () => recompute((y: Tensor) => (at(), y.add(ones([4]))), x),
};

test.each(Object.entries(CALLS))("%s", (_name, act) => {
  let error: unknown = null;
  try {
    act();
  } catch (reason) {
    error = reason;
  }
  expect(error).toBeInstanceOf(FlywheelError);
  expect(userLine((error as Error).stack!)).toBe(called);
});
