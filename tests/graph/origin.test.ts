/** Stacks as browsers write them, and who called whom. */

import { expect, test } from "vitest";
import { callSite } from "../../src/graph/origin";

const src = new URL("../../src/", import.meta.url).pathname;

test("finds the user's line in a stack of V8", () => {
  const stack = [
    "Error",
    `    at originHere (file://${src}graph/origin.ts:40:17)`,
    `    at Tensor.unary (file://${src}methods/core.ts:238:22)`,
    `    at Functions.log (file://${src}methods/math.ts:20:17)`,
    "    at step (file:///home/me/train.ts:12:30)",
    `    at withDevice (file://${src}device.ts:199:10)`,
    "    at file:///home/me/train.ts:20:1",
  ].join("\n");
  expect(callSite(stack)).toEqual({ place: "file:///home/me/train.ts:12:30", called: "log" });
});

test("finds it in a stack of Firefox and Safari", () => {
  const stack = [
    `originHere@${src}graph/origin.ts:40:17`,
    `crossEntropy@${src}functional/loss.ts:44:10`,
    "step@http://localhost:5173/train.ts:12:30",
    "@http://localhost:5173/train.ts:20:1",
    "[native code]",
  ].join("\n");
  expect(callSite(stack)).toEqual({ place: "http://localhost:5173/train.ts:12:30", called: "crossEntropy" });
});

test("takes constructors, anonymous functions and a stack without a user's line", () => {
  const made = `    at new Linear (${src}nn/linear.ts:5:1)\n    at /home/me/a.ts:1:2`;
  expect(callSite(made)).toEqual({ place: "/home/me/a.ts:1:2", called: "Linear" });
  const anonymous = `    at ${src}methods/math.ts:20:17\n    at /home/me/a.ts:1:2`;
  expect(callSite(anonymous)).toEqual({ place: "/home/me/a.ts:1:2", called: null });
  expect(callSite(`Error\n    at log (${src}methods/math.ts:20:17)`)).toEqual({ place: null, called: null });
  expect(callSite("")).toEqual({ place: null, called: null });
});
