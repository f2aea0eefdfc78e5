/**
 * Set-up file of the GPU projects. Every device that a test opens has WebGPU's default limits, the least that users have;
 * and a test in which WebGPU reports an error that no error scope caught fails, unless it said so beforehand with
 * `expectUncaptured`. Errors that arrive late count against the next test, or against the file.
 */
import { afterAll, afterEach, expect } from "vitest";

interface State {
  readonly errors: string[];
  readonly expected: RegExp[];
  keepsLimits: boolean;
}

/** On the page: a browser loads a set-up file, and what tests import of it, as two modules. */
const page = globalThis as { gpuDevices?: State };
if (!page.gpuDevices) watchDevices();
const state = (page.gpuDevices ??= { errors: [], expected: [], keepsLimits: false });

function watchDevices(): void {
  const prototype = GPUAdapter.prototype as { requestDevice: GPUAdapter["requestDevice"] };
  const original = prototype.requestDevice;
  prototype.requestDevice = async function (this: GPUAdapter, descriptor = {}) {
    const { requiredLimits, ...rest } = descriptor;
    const device = await original.call(this, state.keepsLimits && requiredLimits ? { ...rest, requiredLimits } : rest);
    device.addEventListener("uncapturederror", ({ error }) => state.errors.push(error.message));
    return device;
  };
}

function check(): void {
  const seen = state.errors.splice(0);
  const announced = state.expected.splice(0);
  const unexpected = seen.filter((message) => !announced.some((pattern) => pattern.test(message)));
  expect(unexpected, "WebGPU errors that no expectUncaptured() announced").toEqual([]);
  const missing = announced.filter((pattern) => !seen.some((message) => pattern.test(message)));
  expect(missing, "expectUncaptured() patterns that no error matched").toEqual([]);
}

afterEach(check);
afterAll(async () => {
  await new Promise((resolve) => setTimeout(resolve, 20)); // for what is still on its way
  check();
});

/** Announces an error that the running test provokes; a test in which it then does not come fails. */
export function expectUncaptured(pattern: RegExp): void {
  state.expected.push(pattern);
}

/** Devices that `open` requests get the limits that they ask for. */
export async function withAskedLimits<T>(open: () => Promise<T>): Promise<T> {
  state.keepsLimits = true;
  try {
    return await open();
  } finally {
    state.keepsLimits = false;
  }
}
