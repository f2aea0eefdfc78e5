/**
 * One suite, four projects. A file's suffix says where it runs:
 *   *.test.ts         cpu: Node, the CPU reference, no device
 *   *.node.test.ts    node: Node with its own modules: package, scripts, architecture
 *   *.gpu.test.ts     webgpu (Node, Dawn) and chrome (headless Chrome, but for those that are the same there)
 *   *.chrome.test.ts  chrome only
 */
import { defineConfig } from "vitest/config";
import { ensureVulkan } from "./scripts/setup.mjs";
import { chrome } from "./tests/helpers/chromeProvider.ts";
import { alias } from "./vite.config.ts";

const suffixes = {
  gpu: "tests/**/*.gpu.test.ts",
  node: "tests/**/*.node.test.ts",
  chrome: "tests/**/*.chrome.test.ts",
};

/**
 * GPU tests that only Node runs: they compare many kernels, plans and counts, and a browser's Dawn is the same. Chrome runs all others:
 * every public op against PyTorch, by some of its goldens, state, training, devices, whatever meets the page.
 */
const onlyInNode = [
  "compile/counts",
  "compile/fuzz",
  "demo/loop",
  "kernels/grids",
  "kernels/parts",
  "moco/counts",
  "moco/streaming",
  "ops/everyOp",
  "ops/hardware",
  "optim/trajectories",
  "schedule/fusion.fuzz",
  "schedule/graphs.fuzz",
  "schedule/large",
  "schedule/windows",
  "tensor/accuracy",
  "tensor/state.fuzz",
].map((file) => `tests/${file}.gpu.test.ts`);

/** What all projects share. Groups run one after the other: two software GPUs at once only slow each other down. */
const shared = {
  testTimeout: 300_000, // beside other work, on software GPUs and in browsers: to end what hangs, not to judge speed
  hookTimeout: 300_000,
  setupFiles: ["tests/helpers/console.ts"],
};

/** What the projects with a GPU share beside that. */
const gpuSetup = ["tests/helpers/gpuDevices.ts", "tests/helpers/pipelineLabels.ts"];

/** How many random graphs `tests/schedule/graphs.fuzz` computes, scripts `tests/compile/fuzz` plays, and the first seed: see `npm run fuzz`. */
const fuzz = {
  FLYWHEEL_FUZZ_GRAPHS: process.env["FLYWHEEL_FUZZ_GRAPHS"] ?? "2000",
  FLYWHEEL_FUZZ_SCRIPTS: process.env["FLYWHEEL_FUZZ_SCRIPTS"] ?? "40",
  FLYWHEEL_FUZZ_SEED: process.env["FLYWHEEL_FUZZ_SEED"] ?? "1",
};

export default defineConfig({
  test: {
    reporters: [["default", { summary: false }], "./scripts/countReporter.mjs", "./scripts/wideReporter.mjs"],
    projects: [
      {
        resolve: { alias },
        test: {
          ...shared,
          name: "cpu",
          include: ["tests/**/*.test.ts"],
          exclude: Object.values(suffixes),
          env: { FLYWHEEL_DEVICE: "cpu" },
          pool: "forks",
          maxWorkers: 2,
          sequence: { groupOrder: 0 },
        },
      },
      {
        resolve: { alias },
        test: {
          ...shared,
          name: "node",
          include: [suffixes.node],
          env: { FLYWHEEL_DEVICE: "cpu" },
          pool: "forks",
          maxWorkers: 1,
          sequence: { groupOrder: 1 },
        },
      },
      {
        resolve: { alias },
        test: {
          ...shared,
          name: "webgpu",
          include: [suffixes.gpu],
          env: { FLYWHEEL_DEVICE: "webgpu", ...fuzz, ...ensureVulkan() },
          setupFiles: ["tests/helpers/nodeGpu.ts", ...shared.setupFiles, ...gpuSetup],
          pool: "forks",
          maxWorkers: 2,
          sequence: { groupOrder: 2 },
        },
      },
      {
        resolve: { alias },
        // Named here, not discovered in mid-run: vite would reload the page under a running test.
        optimizeDeps: { include: ["fast-check"] },
        test: {
          ...shared,
          name: "browser", // its one instance is the project "chrome"
          include: [suffixes.gpu, suffixes.chrome],
          exclude: onlyInNode,
          // Node compares all goldens of all ops, and Chrome one of four: nearly all of their time is that of compiling.
          env: { FLYWHEEL_DEVICE: "webgpu", FLYWHEEL_GOLDENS_EVERY: "4" },
          setupFiles: [...shared.setupFiles, ...gpuSetup],
          maxWorkers: 1,
          sequence: { groupOrder: 3 },
          browser: {
            enabled: true,
            headless: true,
            provider: chrome(),
            screenshotFailures: false,
            instances: [{ browser: "chrome", name: "chrome" }],
          },
        },
      },
    ],
  },
});
