import type { Calls } from "../call";

export const calls: Calls = {
  lpPool1d: ["normType", "kernelSize"],
  lpPool2d: ["normType", "kernelSize"],
};
