// @ts-check
/**
 * `npm run verify`: everything that CI checks: types, lint and format, side by side, then all tests, the package's among them.
 * Runs every step even if an earlier one fails. The last line is that of the tests, `N passed, N failed`.
 */
import { spawn, spawnSync } from "node:child_process";
import { ensureDependencies, root, runMain } from "./setup.mjs";

/** @type {[name: string, script: string, ...args: string[]][]} */
const checks = [
  ["types", "node_modules/typescript/bin/tsc", "--noEmit"],
  ["lint", "node_modules/eslint/bin/eslint.js", ".", "--max-warnings", "0"],
  ["format", "node_modules/prettier/bin/prettier.cjs", "--check", "--log-level", "warn", "."],
];

await runMain(
  async () => {
    ensureDependencies();
    const failed = (await Promise.all(checks.map(passes))).flatMap((holds, index) =>
      holds ? [] : [checks[index]?.[0]],
    );
    if (failed.length > 0) console.log(`verify: failed before the tests: ${failed.join(", ")}`);
    console.log("\n== tests");
    const { status } = spawnSync(process.execPath, ["scripts/test.mjs", ...process.argv.slice(2)], {
      cwd: root,
      stdio: "inherit",
    });
    return failed.length === 0 && status === 0 ? 0 : 1;
  },
  import.meta.url,
);

/**
 * Runs a check, and prints what it says when it has ended.
 *
 * @param {[name: string, script: string, ...args: string[]]} check
 * @returns {Promise<boolean>} whether it holds
 */
function passes([name, script, ...args]) {
  const startMs = performance.now();
  const child = spawn(process.execPath, [script, ...args], { cwd: root, stdio: ["ignore", "pipe", "pipe"] });
  let output = "";
  for (const stream of [child.stdout, child.stderr]) stream.on("data", (text) => (output += text));
  return new Promise((resolve) => {
    child.on("close", (status) => {
      const seconds = ((performance.now() - startMs) / 1000).toFixed(1);
      console.log(`== ${name}\n${output}${name}: ${status === 0 ? "ok" : "FAILED"} (${seconds} s)`);
      resolve(status === 0);
    });
  });
}
