import type { Device } from "flywheel";
import { afterEach, beforeEach, expect, test, vi } from "vitest";
import { Meter } from "../../demo/meter";

let nowMs = 0;
beforeEach(() => {
  nowMs = 0;
  vi.spyOn(performance, "now").mockImplementation(() => nowMs);
});
afterEach(() => {
  vi.restoreAllMocks();
});

/** A run whose step i takes `ms(i)` and asks for `dispatches(i)`. */
function measured(
  steps: number,
  { ms = () => 10, dispatches = () => 3 }: Partial<Record<"ms" | "dispatches", (step: number) => number>> = {},
): Meter {
  const total = { dispatches: 0, submits: 0 };
  const device = { counters: () => total } as unknown as Device;
  const meter = new Meter(device, steps);
  meter.resume();
  for (let step = 1; step <= steps; step++) {
    meter.stepBegins();
    total.dispatches += dispatches(step);
    total.submits++;
    meter.stepQueued();
    nowMs += ms(step);
    meter.stepDone();
  }
  return meter;
}

test("leaves out the warm-up, and then counts the last 20 steps", () => {
  const ms = (step: number): number => (step <= 5 ? 1000 : step <= 30 ? 20 : 10);
  const meter = measured(50, { ms, dispatches: (step) => (step <= 30 ? 100 : step % 2) });
  expect(meter.firstStepSeconds()).toBe(1);
  expect(meter.stepsPerSecond()).toBeCloseTo(45 / (25 * 0.02 + 20 * 0.01), 9);
  expect(meter.recentStepsPerSecond()).toBeCloseTo(100, 9);
  expect(meter.perStep()).toEqual({ dispatchesPerStep: 0.5, submitsPerStep: 1, buffersCreatedPerStep: null });
});

test("counts fewer where there are fewer", () => {
  expect(measured(5).recentStepsPerSecond()).toBeCloseTo(100, 9); // three after a warm-up of two
  expect(measured(1).stepsPerSecond()).toBeCloseTo(100, 9);
  expect(measured(1).perStep().dispatchesPerStep).toBe(3);
  const waiting = new Meter({ counters: () => ({}) } as unknown as Device, 10);
  expect(waiting.recentStepsPerSecond()).toBe(null);
});

test("pauses do not count", () => {
  const meter = measured(4);
  meter.pause();
  nowMs += 10_000;
  meter.resume();
  expect(meter.stepsPerSecond()).toBeCloseTo(100, 9);
});

test("holds no more after a long run than after a short one", () => {
  const held = (steps: number): number => JSON.stringify(measured(steps)).length;
  expect(held(20_000)).toBeLessThan(1.5 * held(100));
});
