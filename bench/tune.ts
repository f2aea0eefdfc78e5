/** `npm run tune`: which variant of each kernel is fastest here for the cases of `npm run explain`. Runs in Node. */

import { init, manualSeed } from "flywheel";
import { printTuning, savedTuning, tune } from "flywheel/dev";
import { CASES } from "./explainCases";

export { CASES } from "./explainCases";

/** What was found, as text, and what `useTuning` takes. */
export interface Tuned {
  readonly text: string;
  readonly saved: string;
}

/**
 * Tunes for some cases on one device.
 *
 * @param budgetMs of each case
 */
export async function tuneCases(names: readonly string[], budgetMs: number): Promise<Tuned> {
  const device = await init({ device: "webgpu" });
  try {
    const texts: string[] = [];
    for (const name of names) {
      manualSeed(0);
      const run = CASES[name]!.make();
      const report = await tune(run, { device, budgetMs });
      texts.push(`${name}\n${printTuning(report)}`);
    }
    return { text: texts.join("\n\n"), saved: savedTuning(device) };
  } finally {
    device.destroy();
  }
}
