/** Opens the device that a project's tests run on, once. */

import { init, type Device } from "../../src/device";

/** `"cpu"` in files `x.test.ts`, `"webgpu"` in files `x.gpu.test.ts`. */
export const openTestDevice = (kind: "cpu" | "webgpu"): Promise<Device> => init({ device: kind });
