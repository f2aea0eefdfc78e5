/** For tests of device loss, in `*.chrome.test.ts` only. */
import * as context from "vitest/browser";

// vitest types `cdp` only for the providers it ships.
const { cdp } = context as unknown as { cdp: () => { send: (method: string) => Promise<unknown> } };

/** Kills Chrome's GPU process: every device is lost; a new adapter is there within half a second. */
export function crashGpuProcess(): void {
  // The browser may answer with an error, as the process it asks dies.
  cdp()
    .send("Browser.crashGpuProcess")
    .catch(() => undefined);
}
