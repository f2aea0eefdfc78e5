// @ts-check
/**
 * `npm test`: set-up, the adapters, every test in every project. The last line is `N passed, N failed`.
 * Arguments go to vitest: `npm test -- --project cpu shape` runs the cpu project's files whose path contains "shape".
 */
import { spawnSync } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { ensureBrowser, ensureDependencies, ensureVulkan, root, runMain } from "./setup.mjs";

await runMain(
  () => {
    ensureDependencies();
    ensureBrowser();
    ensureVulkan();
    const args = process.argv.slice(2);

    const places = adaptersNeeded(args);
    if (places.length > 0) {
      // A process of its own: a driver that crashes does not take the test run along.
      const { status } = node("scripts/adapters.mjs", places);
      if (status !== 0) return Promise.resolve(finish({ passed: 0, failed: 1 }, status));
    }

    const folder = mkdtempSync(join(tmpdir(), "flywheel-test-"));
    const countsFile = join(folder, "counts.json");
    const { status } = node("node_modules/vitest/vitest.mjs", ["run", ...args], { FLYWHEEL_TEST_COUNTS: countsFile });
    const counts = readCounts(countsFile);
    rmSync(folder, { recursive: true });
    return Promise.resolve(finish(counts, status));
  },
  import.meta.url,
);

/**
 * Which adapters to print: only those of the projects that run.
 *
 * @param {string[]} args
 */
function adaptersNeeded(args) {
  const projects = args.flatMap((arg, i) =>
    arg === "--project" ? [args[i + 1] ?? ""] : arg.startsWith("--project=") ? [arg.slice("--project=".length)] : [],
  );
  const runs = (/** @type {string} */ name) => projects.length === 0 || projects.includes(name);
  return [...(runs("webgpu") ? ["node"] : []), ...(runs("chrome") ? ["chrome"] : [])];
}

/**
 * Prints the last line and gives the exit code. A run that failed without a failed test, or that ran no test, counts as one.
 *
 * @param {{ passed: number, failed: number }} counts
 * @param {number | null} status exit code of the run
 */
function finish({ passed, failed }, status) {
  const failures = failed === 0 && (status !== 0 || passed === 0) ? 1 : failed;
  console.log(`${passed} passed, ${failures} failed`);
  return failures === 0 ? 0 : status || 1;
}

/** @param {string} path */
function readCounts(path) {
  try {
    return JSON.parse(readFileSync(path, "utf8"));
  } catch {
    return { passed: 0, failed: 1 }; // vitest ended before it could count
  }
}

/**
 * @param {string} script
 * @param {string[]} args
 * @param {Record<string, string>} [env]
 */
function node(script, args, env = {}) {
  return spawnSync(process.execPath, [script, ...args], {
    cwd: root,
    stdio: "inherit",
    env: { ...process.env, ...env },
  });
}
