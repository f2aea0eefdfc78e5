/** Builds and packs the package, installs it into an empty project, and looks at it as a user's tools would. */
import { execFileSync } from "node:child_process";
import { cpSync, existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { publint } from "publint";
import { formatMessage } from "publint/utils";
import { afterAll, beforeAll, expect, test } from "vitest";
import { root } from "../scripts/setup.mjs";

interface Manifest {
  readonly dependencies?: Record<string, string>;
  readonly exports: Record<string, unknown>;
}

const manifest = JSON.parse(readFileSync(join(root, "package.json"), "utf8")) as Manifest;
const specifiers = Object.keys(manifest.exports)
  .filter((subpath) => !subpath.endsWith(".json"))
  .map((subpath) => subpath.replace(".", "flywheel"));

const folder = mkdtempSync(join(tmpdir(), "flywheel-package-"));
const staged = join(folder, "staged");
const consumer = join(folder, "consumer");
const installed = join(consumer, "node_modules/flywheel");
let tarball = "";

beforeAll(() => {
  run(process.execPath, ["scripts/build.mjs", "--out", join(staged, "dist")], root);
  for (const file of ["package.json", "README.md", "CHANGELOG.md", "LICENSE"]) {
    if (existsSync(join(root, file))) cpSync(join(root, file), join(staged, file));
  }
  run("npm", ["pack", "--silent", "--ignore-scripts", "--pack-destination", folder], staged);
  tarball = join(
    folder,
    readdirSync(folder).find((name) => name.endsWith(".tgz"))!,
  );
  mkdirSync(installed, { recursive: true });
  run("tar", ["xzf", tarball, "--strip-components=1", "-C", installed], folder);
  writeFileSync(join(consumer, "package.json"), `{ "type": "module" }`);
}, 300_000);

afterAll(() => {
  rmSync(folder, { recursive: true, force: true });
});

test("has no run-time dependencies", () => {
  expect(manifest.dependencies ?? {}).toEqual({});
});

test("publint finds nothing", async () => {
  const { messages, pkg } = await publint({ pkgDir: installed, strict: true });
  expect(messages.map((message) => formatMessage(message, pkg))).toEqual([]);
});

test("are the types wrong? no", () => {
  const attw = join(root, "node_modules/@arethetypeswrong/cli/dist/index.js");
  run(process.execPath, [attw, tarball, "--profile", "esm-only", "--no-color"], folder);
});

test.each(specifiers)("%s loads in Node, exports something and prints nothing", (specifier) => {
  const script = `const exports = await import("${specifier}"); process.exitCode = Object.keys(exports).length > 0 ? 0 : 1;`;
  expect(run(process.execPath, ["--input-type=module", "--eval", script], consumer)).toBe("");
});

test("all entries share one Tensor", () => {
  const chunks = readdirSync(join(installed, "dist"), { recursive: true, encoding: "utf8" }).filter((name) =>
    name.endsWith(".js"),
  );
  const defining = chunks.filter((name) =>
    /\bclass Tensor\b|\bTensor(\$\d+)? = class\b/.test(readFileSync(join(installed, "dist", name), "utf8")),
  );
  expect(defining).toHaveLength(1);
});

test("a strict TypeScript project compiles against the declarations, lib check included", () => {
  writeFileSync(
    join(consumer, "main.ts"),
    specifiers.map((specifier, i) => `import * as m${i} from "${specifier}"; export { m${i} };`).join("\n"),
  );
  const options = { strict: true, module: "NodeNext", target: "ES2022", noEmit: true, skipLibCheck: false, types: [] };
  const compilerOptions = { ...options, lib: ["ES2023", "ESNext.Disposable", "DOM", "DOM.AsyncIterable"] };
  writeFileSync(join(consumer, "tsconfig.json"), JSON.stringify({ compilerOptions, files: ["main.ts"] }));
  run(process.execPath, [join(root, "node_modules/typescript/bin/tsc"), "--project", consumer], consumer);
});

/** Runs a command; returns what it printed, or throws with it. */
function run(command: string, args: string[], cwd: string): string {
  const env = { ...process.env, NODE_OPTIONS: "" };
  try {
    return execFileSync(command, args, { cwd, env, encoding: "utf8", stdio: ["ignore", "pipe", "pipe"] });
  } catch (error) {
    const { stdout, stderr } = error as { stdout: string; stderr: string };
    throw new Error(`${command} ${args.join(" ")} failed:\n${stdout}${stderr}`, { cause: error });
  }
}
