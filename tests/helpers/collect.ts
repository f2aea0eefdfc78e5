/** For tests of memory that the garbage collector frees, in `*.chrome.test.ts` only. */
import * as context from "vitest/browser";

// vitest types `cdp` only for the providers it ships.
const { cdp } = context as unknown as { cdp: () => { send: (method: string) => Promise<unknown> } };

/** Runs the garbage collector and the finalizers that come of it. */
export async function collectGarbage(): Promise<void> {
  for (let round = 0; round < 3; round++) {
    await cdp().send("HeapProfiler.collectGarbage");
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
}
