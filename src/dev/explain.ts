/** Shows the work: what reading a tensor would run, and what some code does run, launch by launch, with the WGSL of each. */

import { defaultDevice, type Device } from "../device";
import { ValueError } from "../errors";
import type { PlannedLaunch } from "../schedule/plan";
import { printLaunches } from "../schedule/print";
import type { Tensor } from "../tensor";
import { backendOf } from "./device";
import { intercept } from "./intercept";

/**
 * The launches that reading some tensors now would take, pending writes to state included. Nothing runs.
 *
 * @param tensors on one WebGPU device
 * @returns one entry a dispatch: kernel, WGSL, grid, what was fused, why the kernel ends there, flops, bytes
 * @throws ValueError without tensors
 * @throws DeviceError for tensors on the CPU, which interprets graphs and has no schedule
 *
 * @example
 * for (const { label, wgsl } of launchesOf(loss)) console.log(label, wgsl);
 */
export function launchesOf(...tensors: Tensor[]): readonly PlannedLaunch[] {
  const [first] = tensors;
  if (!first) throw new ValueError("explain: there must be tensors, got none. Pass what you want to see computed.");
  const backend = backendOf("explain", first.device);
  return backend.launchesOf(first.device.engine.programFor(tensors.map(({ node }) => node)));
}

/**
 * The launches that a function makes: those of each program that runs meanwhile, whole training steps for example. Nothing is measured.
 *
 * @param body what to watch; its programs run as ever
 * @param options.device default: the default device
 * @returns a list a program, in the order in which they ran; copies and reads are no launches
 * @throws DeviceError for the CPU
 *
 * @example
 * const [step] = await programsIn(() => trainStep(batch));
 * console.log(printLaunches(step));
 */
export async function programsIn(
  body: () => unknown,
  { device = defaultDevice() }: { readonly device?: Device } = {},
): Promise<(readonly PlannedLaunch[])[]> {
  const backend = backendOf("programsIn", device);
  const programs: (readonly PlannedLaunch[])[] = [];
  const note = (): void => {
    if (backend.latestLaunches.length > 0) programs.push(backend.latestLaunches);
  };
  const stopRuns = intercept(backend, "run", (run) => (program) => {
    const values = run(program);
    note();
    return values;
  });
  const stopReruns = intercept(backend, "rerun", (rerun) => (key, program, leaves) => {
    rerun(key, program, leaves);
    note();
  });
  try {
    await body();
  } finally {
    stopReruns();
    stopRuns();
  }
  return programs;
}

/**
 * The schedule of some tensors as a table: kernel, output, what was fused, why it was cut there.
 *
 * @throws as `launchesOf`
 *
 * @example
 * console.log(explain(loss));
 */
export const explain = (...tensors: Tensor[]): string => printLaunches(launchesOf(...tensors));
