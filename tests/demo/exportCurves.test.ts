/** The table of a run: what was told of each step, in lines of text. */

import { expect, test } from "vitest";
import { Curves } from "../../demo/exports/curves";
import type { StepEvent } from "../../demo/protocol";

const step = (at: number, more: Partial<StepEvent> = {}): StepEvent => ({
  ...{ type: "step", step: at, loss: 1.5, contrastAccuracy: 0.25, lr: 0.06, stepsPerSecond: null, secondsLeft: null },
  ...more,
});

test("a line a step, with empty cells for what was not told", () => {
  const curves = new Curves();
  curves.hear({ type: "knn", step: 0, accuracy: 0.7 });
  curves.hear(step(1));
  curves.hear({ type: "phase", phase: "training" });
  curves.hear(step(2, { loss: 4, stepsPerSecond: 40 }));
  curves.hear({ type: "knn", step: 2, accuracy: 0.8125 });
  expect(curves.csv()).toBe(
    [
      "step,loss,contrast_accuracy,knn_accuracy,lr,ms_per_step",
      "0,,,0.7,,",
      "1,1.5,0.25,,0.06,",
      "2,4,0.25,0.8125,0.06,25",
      "",
    ].join("\n"),
  );
  expect(curves.losses()).toEqual([
    [1, 1.5],
    [2, 4],
  ]);
  expect(curves.lastStep).toBe(2);
});

test("a new run begins with nothing", () => {
  const curves = new Curves();
  expect([curves.isEmpty, curves.lastStep]).toEqual([true, 0]);
  curves.hear(step(7));
  expect([curves.isEmpty, curves.lastStep]).toEqual([false, 7]);
  curves.clear();
  expect([curves.isEmpty, curves.csv().trim().split("\n").length]).toEqual([true, 1]);
});
