// @ts-check
/**
 * `npm run verify`: everything that CI checks: types, lint, format, then all tests, the package's among them.
 * Runs every step even if an earlier one fails. The last line is that of the tests, `N passed, N failed`.
 */
import { spawnSync } from "node:child_process";
import { ensureDependencies, root, runMain } from "./setup.mjs";

/** @type {[name: string, script: string, ...args: string[]][]} */
const steps = [
  ["types", "node_modules/typescript/bin/tsc", "--noEmit"],
  ["lint", "node_modules/eslint/bin/eslint.js", ".", "--max-warnings", "0"],
  ["format", "node_modules/prettier/bin/prettier.cjs", "--check", "--log-level", "warn", "."],
  ["tests", "scripts/test.mjs", ...process.argv.slice(2)],
];

await runMain(() => {
  ensureDependencies();
  const failed = [];
  for (const [name, script, ...args] of steps) {
    if (name === "tests" && failed.length > 0) console.log(`verify: failed before the tests: ${failed.join(", ")}`);
    console.log(`\n== ${name}`);
    const startMs = performance.now();
    const { status } = spawnSync(process.execPath, [script, ...args], { cwd: root, stdio: "inherit" });
    if (status !== 0) failed.push(name);
    const seconds = ((performance.now() - startMs) / 1000).toFixed(1);
    if (name !== "tests") console.log(`${name}: ${status === 0 ? "ok" : "FAILED"} (${seconds} s)`);
  }
  return Promise.resolve(failed.length === 0 ? 0 : 1);
});
