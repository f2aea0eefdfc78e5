/** An adapter in words. */

import type { AdapterInfo } from "flywheel";

/** `google / swiftshader`; browsers leave out what they do not want to tell. */
export const adapterName = ({ vendor, architecture, device, description }: AdapterInfo): string =>
  [vendor, architecture, device, description].filter(Boolean).join(" / ") || "unknown";
