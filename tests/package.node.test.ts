/** The package as a user's tools see it. That it works is in packageInUse. */

import { readdirSync, readFileSync, statSync } from "node:fs";
import { join } from "node:path";
import { publint } from "publint";
import { formatMessage } from "publint/utils";
import { beforeAll, expect, test } from "vitest";
import { root } from "../scripts/setup.mjs";
import { manifest, packAndInstall, type Packed, run, specifiers, writeFile } from "./helpers/packed";
import { readmeBlocks } from "./helpers/readme";

let packed: Packed;

beforeAll(() => {
  packed = packAndInstall();
  return packed.remove;
}, 300_000);

/** Paths in the installed package, with / between folders. */
const files = (): string[] =>
  readdirSync(packed.installed, { recursive: true, encoding: "utf8" })
    .filter((name) => statSync(join(packed.installed, name)).isFile())
    .map((name) => name.replaceAll("\\", "/"));

const textOf = (file: string): string => readFileSync(join(packed.installed, file), "utf8");
const scripts = (): string[] => files().filter((name) => name.endsWith(".js"));

test("has no run-time dependencies, of whatever kind", () => {
  expect(manifest).not.toHaveProperty("dependencies");
  expect(manifest).not.toHaveProperty("peerDependencies");
  expect(manifest).not.toHaveProperty("optionalDependencies");
  expect(readdirSync(join(packed.consumer, "node_modules")).filter((name) => !name.startsWith("."))).toEqual([
    "flywheel",
  ]);
});

test("holds code, declarations, source maps and four texts; no data, no demo, no shader files", () => {
  const texts = ["CHANGELOG.md", "LICENSE", "README.md", "package.json"];
  expect(
    files()
      .filter((name) => !name.startsWith("dist/"))
      .sort(),
  ).toEqual(texts);
  expect(files().filter((name) => name.startsWith("dist/") && !/\.(js|js\.map|d\.ts)$/.test(name))).toEqual([]);
  expect(statSync(packed.tarball).size).toBeLessThan(1.5 * 2 ** 20);
});

test("WGSL lies in the code: nothing is fetched, nothing is made from text", () => {
  const code = scripts().map(textOf);
  const shaders = readdirSync(join(root, "shaders")).filter((name) => name.endsWith(".wgsl"));
  const marks = shaders.map((name) => readFileSync(join(root, "shaders", name), "utf8").split("\n")[0]!);
  for (const mark of marks) expect(code.filter((text) => text.includes(mark.slice(0, 40)))).toHaveLength(1);
  const fromText = /\bnew Function\(|=\s*eval\(|\bnew Worker\(|["']blob:/;
  expect(scripts().filter((name) => fromText.test(textOf(name)))).toEqual([]);
});

test("imports nothing but itself", () => {
  const imports =
    /(?:^|[\n;])\s*(?:import|export)\b[^"'\n;]*?\bfrom\s*["']([^"']+)["']|\bimport\(\s*["']([^"']+)["']\s*\)/g;
  for (const name of scripts()) {
    const found = [...textOf(name).matchAll(imports)].map((match) => match[1] ?? match[2]!);
    expect(
      found.filter((specifier) => !specifier.startsWith(".")),
      name,
    ).toEqual([]);
  }
});

test("the build prints what each entry costs, in gzip KiB", () => {
  for (const specifier of specifiers) {
    expect(packed.buildOutput).toMatch(new RegExp(`^ +${specifier}( +\\d+\\.\\d KiB){2}$`, "m"));
  }
  expect(packed.buildOutput).toMatch(/minified and gzipped/);
  const [, total] = /^ +total +(\d+\.\d) KiB$/m.exec(packed.buildOutput)!;
  expect(Number(total)).toBeGreaterThan(20);
  expect(Number(total)).toBeLessThan(288); // a look at what made it grow is due
});

test("publint finds nothing", async () => {
  const { messages, pkg } = await publint({ pkgDir: packed.installed, strict: true });
  expect(messages.map((message) => formatMessage(message, pkg))).toEqual([]);
});

test("are the types wrong? no", () => {
  const attw = join(root, "node_modules/@arethetypeswrong/cli/dist/index.js");
  run(process.execPath, [attw, packed.tarball, "--profile", "esm-only", "--no-color"], packed.folder);
});

test.each(specifiers)("%s loads in Node, exports something and prints nothing", (specifier) => {
  const script = `const exports = await import("${specifier}"); process.exitCode = Object.keys(exports).length > 0 ? 0 : 1;`;
  expect(run(process.execPath, ["--input-type=module", "--eval", script], packed.consumer)).toBe("");
});

test("all entries share one Tensor", () => {
  const defining = scripts().filter((name) => /\bclass Tensor\b|\bTensor(\$\d+)? = class\b/.test(textOf(name)));
  expect(defining).toHaveLength(1);
});

test("a strict TypeScript project compiles against the declarations, lib check included, and so do README's examples", () => {
  const { consumer } = packed;
  const files = ["main.ts", ...readmeBlocks("ts").map((_, i) => `readme${i}.ts`)];
  writeFile(
    join(consumer, "main.ts"),
    specifiers.map((specifier, i) => `import * as m${i} from "${specifier}"; export { m${i} };`).join("\n"),
  );
  const brought = {
    batches: 'declare const batches: Iterable<[import("flywheel").Tensor, import("flywheel").Tensor]>;',
    storage: "declare const storage: Storage;",
    trainStep: "declare function trainStep(): Promise<void>;",
    model: 'declare const model: import("flywheel/nn").Module;',
    optimizer: 'declare const optimizer: import("flywheel/optim").Optimizer;',
    blob: "declare const blob: Blob;",
    images: 'declare const images: import("flywheel").Tensor;',
    encoder: 'declare const encoder: import("flywheel/nn").Layer;',
    train: 'declare const train: import("flywheel/moco").LabeledTensors;',
    test: 'declare const test: import("flywheel/moco").LabeledTensors;',
  };
  readmeBlocks("ts").forEach((block, i) => {
    const missing = Object.entries(brought).filter(([name]) => !block.includes(`const ${name} `));
    const given = missing.map(([, line]) => line).join(" ");
    writeFile(join(consumer, files[i + 1]!), `${given}\n${block}`);
  });
  const options = { strict: true, module: "NodeNext", target: "ES2022", noEmit: true, skipLibCheck: false, types: [] };
  const compilerOptions = { ...options, lib: ["ES2023", "ESNext.Disposable", "DOM", "DOM.AsyncIterable"] };
  writeFile(join(consumer, "tsconfig.json"), JSON.stringify({ compilerOptions, files }));
  run(process.execPath, [join(root, "node_modules/typescript/bin/tsc"), "--project", consumer], consumer);
});
