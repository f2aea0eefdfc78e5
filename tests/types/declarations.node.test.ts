/** The declarations that users get: none of them says `any`. */

import { join, relative } from "node:path";
import ts from "typescript";
import { expect, test } from "vitest";
import { root } from "../../scripts/setup.mjs";

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

test("finds any", () => {
  expect(anyIn("a.d.ts", "export declare const a: number;\nexport declare function f(x: any[]): void;")).toEqual([
    "a.d.ts:2: export declare function f(x: any[]): void;",
  ]);
  expect(anyIn("b.d.ts", "/** any */ export declare const any: string;")).toEqual([]);
});

test("no declaration says any", () => {
  const written = declarations();
  expect(written.size).toBeGreaterThan(50);
  expect(written.has("dist/index.d.ts")).toBe(true);
  expect([...written].flatMap(([file, text]) => anyIn(file, text))).toEqual([]);
});
