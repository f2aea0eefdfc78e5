/** What a page says where there is no GPU. */

import { expect, test } from "vitest";
import { cpuAddress, missingGpu, type Surroundings } from "../../demo/missingGpu";
import { optionsFromSearch, problemOf } from "../../demo/options";

const adapters = (answer: () => Promise<unknown>): Surroundings["gpu"] => ({
  requestAdapter: () => answer() as Promise<GPUAdapter | null>,
});
const at = { isSecure: true, origin: "http://a.example" };

test.each([
  ["an insecure address", { ...at, isSecure: false, gpu: undefined }, /secure addresses only, and http:\/\/a\.example/],
  ["a browser without WebGPU", { ...at, gpu: undefined }, /^This browser has no WebGPU\.$/],
  ["no adapter", { ...at, gpu: adapters(() => Promise.resolve(null)) }, /found no graphics adapter/],
  ["an adapter that fails", { ...at, gpu: adapters(() => Promise.reject(new Error("lost"))) }, /found no graphics/],
])("says what is wrong with %s, and what to do", async (_, surroundings, reason) => {
  const missing = await missingGpu(surroundings);
  expect(missing?.reason).toMatch(reason);
  expect(missing?.ways.length).toBeGreaterThan(0);
});

test("says nothing where there is one", async () => {
  expect(await missingGpu({ ...at, gpu: adapters(() => Promise.resolve({})) })).toBeNull();
});

test("offers a training on the CPU that may be started", () => {
  const given = "steps=7&seed=3&tune=on&report=/x&data=cifar10&resume=&linearProbe=&features=npy";
  const address = new URL(cpuAddress(`http://localhost/?${given}`));
  const options = optionsFromSearch(address.searchParams);
  expect(options).toMatchObject({ device: "cpu", encoder: "tinyGap", steps: 100, seed: 3, tune: "off" });
  expect(problemOf(options)).toBeNull();
  expect(address.searchParams.get("report")).toBe("/x");
  for (const name of ["data", "resume", "linearProbe", "features"])
    expect(address.searchParams.has(name), name).toBe(false);
  expect(address.searchParams.has("autostart")).toBe(true);
});
