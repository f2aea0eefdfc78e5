/** Where FLYWHEEL_DEBUG is looked for. */

import { expect, test } from "vitest";
import { debugSwitch } from "../src/debugSwitch";

const stored = (text: string | null) => ({ getItem: (name: string) => (name === "FLYWHEEL_DEBUG" ? text : "wrong") });

test("in Node it is an environment variable, and nothing else is looked at", () => {
  const process = { env: { FLYWHEEL_DEBUG: "time" }, versions: { node: "22.0.0" } };
  expect(debugSwitch({ process })).toBe("time");
  const none = { process: { ...process, env: {} }, localStorage: stored("wgsl") };
  expect(debugSwitch(none)).toBe("");
});

test("on a page it is a parameter of the URL, else an item of localStorage", () => {
  const localStorage = stored("wgsl");
  expect(debugSwitch({ location: { search: "?a=1&FLYWHEEL_DEBUG=time,memory" }, localStorage })).toBe("time,memory");
  expect(debugSwitch({ location: { search: "?FLYWHEEL_DEBUG=" }, localStorage })).toBe("");
  expect(debugSwitch({ location: { search: "" }, localStorage })).toBe("wgsl");
  expect(debugSwitch({ location: { search: "" }, localStorage: stored(null) })).toBe("");
});

test("a worker has no localStorage, and a page that may store nothing throws", () => {
  expect(debugSwitch({ location: { search: "" } })).toBe("");
  const forbidden = {
    get localStorage(): never {
      throw new Error("SecurityError");
    },
  };
  expect(debugSwitch(forbidden)).toBe("");
});
