/** Debug channels: what the library plans, on the console, while a program runs. */

import { defaultDevice, type Device } from "../device";
import type { PlannedLaunch } from "../schedule/plan";
import { printLaunches } from "../schedule/print";
import { backendOf } from "./device";
import { intercept } from "./intercept";

/** What can be shown of each new plan: its table of launches, or the text of their shaders. */
export type DebugChannel = "schedule" | "wgsl";

const SHOWN: Readonly<Record<DebugChannel, (launches: readonly PlannedLaunch[]) => string>> = {
  schedule: printLaunches,
  wgsl: (launches) => launches.map(({ label, wgsl }) => `// ${label}.wgsl, specialised\n${wgsl}`).join("\n"),
};

/**
 * Shows each plan when it is made: a program of a new structure. Programs that run again show nothing.
 *
 * @param channel `"schedule"`: the table that `explain` gives; `"wgsl"`: the shaders
 * @param options.device default: the default device
 * @param options.print default: console.log
 * @returns ends it; end several in reverse order
 * @throws DeviceError for the CPU, which has no plans
 *
 * @example
 * const stop = debug("schedule");
 * await model.forward(x).data();
 * stop();
 */
export function debug(
  channel: DebugChannel,
  {
    device = defaultDevice(),
    print = (text) => console.log(text),
  }: { readonly device?: Device; readonly print?: (text: string) => void } = {},
): () => void {
  const backend = backendOf("debug", device);
  const plansMade = (): number => backend.counters()["plansMade"] ?? 0;
  return intercept(backend, "run", (run) => (program) => {
    const launches = backend.launchesOf(program); // now: once it has run, its nodes are values
    const before = plansMade();
    const values = run(program);
    if (plansMade() > before) print(SHOWN[channel](launches));
    return values;
  });
}
