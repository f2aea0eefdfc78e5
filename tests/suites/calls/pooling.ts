import type { Calls } from "../call";

export const calls: Calls = {
  maxUnpool1d: ["kernelSize"], // outputSize is an option
  maxUnpool2d: ["kernelSize"],
  lpPool1d: ["normType", "kernelSize"],
  lpPool2d: ["normType", "kernelSize"],
};
