/** Debug channels by hand: see channels.ts. */

import { defaultDevice, type Device } from "../device";
import { checkedChannel, type DebugChannel, openChannel } from "./channels";
import { backendOf } from "./device";

/**
 * Shows what a program does while it runs. New plans are programs of a new structure; those that run again show their time only.
 * `FLYWHEEL_DEBUG=schedule,time` does the same for all devices that `init` and `openDevice` open, without a change to the program:
 * an environment variable in Node, elsewhere a parameter of the page's URL or an item of localStorage.
 *
 * @param channel of each new plan: `"schedule"`, the table that `explain` gives; `"wgsl"`, its shaders; `"kernels:NAME"`, those of one
 *   kernel; `"memory"`, what the device holds. Of each program: `"time"`, what its kernels take, by timestamps where there are some
 * @param options.device default: the default device
 * @param options.print default: console.log
 * @returns ends it; end several in reverse order
 * @throws DeviceError for the CPU, which has no plans
 * @throws ValueError for a channel or a kernel that there is not
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
  return openChannel(backendOf("debug", device), checkedChannel("debug", channel), print);
}
