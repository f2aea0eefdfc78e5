/** The declarations that users get: none of them says `any`, and none that the package exports needs types of WebGPU. */

import { join, posix, relative } from "node:path";
import ts from "typescript";
import { beforeAll, expect, test } from "vitest";
import { root } from "../../scripts/setup.mjs";
import { manifest } from "../helpers/packed";

/** The package's declarations, by file, as the build writes them. */
function declarations(): Map<string, string> {
  const path = join(root, "tsconfig.build.json");
  const { config } = ts.readConfigFile(path, (file) => ts.sys.readFile(file)) as { config: object };
  const { fileNames, options } = ts.parseJsonConfigFileContent(config, ts.sys, root, {}, path);
  const written = new Map<string, string>();
  ts.createProgram(fileNames, options).emit(undefined, (file, text) => {
    if (file.endsWith(".d.ts")) written.set(relative(root, file), text);
  });
  return written;
}

/** Where a file says `any`: the lines. */
function anyIn(file: string, text: string): string[] {
  const source = ts.createSourceFile(file, text, ts.ScriptTarget.Latest, true);
  const found: string[] = [];
  const visit = (node: ts.Node): void => {
    if (node.kind === ts.SyntaxKind.AnyKeyword) {
      const { line } = source.getLineAndCharacterOfPosition(node.getStart());
      found.push(`${file}:${line + 1}: ${text.split("\n")[line]!.trim()}`);
    }
    ts.forEachChild(node, visit);
  };
  visit(source);
  return found;
}

let written: Map<string, string>;
beforeAll(() => {
  written = declarations();
});

test("finds any", () => {
  expect(anyIn("a.d.ts", "export declare const a: number;\nexport declare function f(x: any[]): void;")).toEqual([
    "a.d.ts:2: export declare function f(x: any[]): void;",
  ]);
  expect(anyIn("b.d.ts", "/** any */ export declare const any: string;")).toEqual([]);
});

test("no declaration says any", () => {
  expect(written.size).toBeGreaterThan(50);
  expect(written.has("dist/index.d.ts")).toBe(true);
  expect([...written].flatMap(([file, text]) => anyIn(file, text))).toEqual([]);
});

/** Files that a compiler reads for a user of the package. */
function reachedFrom(entries: readonly string[], written: ReadonlyMap<string, string>): Set<string> {
  const reached = new Set<string>();
  const rest = [...entries];
  for (let file = rest.pop(); file; file = rest.pop()) {
    if (reached.has(file)) continue;
    reached.add(file);
    for (const [, path, imported] of written.get(file)!.matchAll(/from "(\.[^"]*)"|import\("(\.[^"]*)"\)/g)) {
      const place = posix.join(posix.dirname(file), (path ?? imported)!);
      rest.push([`${place}.d.ts`, `${place}/index.d.ts`].find((each) => written.has(each))!);
    }
  }
  return reached;
}

test("what is exported, but for tools, needs no types of WebGPU, which TypeScript knows since 6.0", () => {
  const entries = Object.entries(manifest.exports).flatMap(([name, target]) =>
    name !== "./dev" && typeof target === "object" ? [(target as { types: string }).types.replace("./", "")] : [],
  );
  const reached = reachedFrom(entries, written);
  expect(reached.size).toBeGreaterThan(50);
  expect(
    [...reached].filter((file) => /\bGPU[A-Z]\w+/.test(written.get(file)!.replaceAll(/\/\*[^]*?\*\//g, ""))),
  ).toEqual([]);
});
