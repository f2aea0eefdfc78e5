/** The house rules as a test: imports point down, there are no cycles, and some things are named in one place only. */

import { readdirSync, readFileSync } from "node:fs";
import { dirname, join, relative, resolve } from "node:path";
import { describe, expect, it } from "vitest";

const ROOT = resolve(import.meta.dirname, "..");
const SRC = join(ROOT, "src");

/** Stages from the bottom up; a file may import from lower rows, and from its own folder. */
const LAYERS: Record<string, number> = {
  errors: 0,
  version: 0,
  options: 0,
  debugSwitch: 0,
  graph: 1,
  gpu: 1,
  ops: 2,
  reference: 3,
  autograd: 3,
  kernels: 3.1,
  codegen: 3.2,
  schedule: 3.3,
  runtime: 4,
  tensor: 5,
  creation: 5,
  functions: 5,
  pairs: 5,
  overDims: 5,
  combine: 5,
  methodFunctions: 5,
  functionOf: 5,
  parameter: 5,
  parameterArena: 5,
  gradientClipping: 5,
  loadable: 5,
  methods: 5,
  functional: 5,
  gradient: 5,
  autocast: 5,
  device: 5,
  hostState: 5,
  compile: 5,
  compiledArguments: 5,
  random: 5,
  dev: 5,
  nn: 6,
  optim: 6,
  data: 6,
  io: 6,
  models: 6,
  moco: 7,
  index: 8,
};

const filesBelow = (folder: string): string[] =>
  readdirSync(folder, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile() && entry.name.endsWith(".ts"))
    .map((entry) => join(entry.parentPath, entry.name));

const files = filesBelow(SRC);

const nameOf = (file: string): string => relative(SRC, file).replace(/\.ts$/, "").replaceAll("\\", "/");

function importsOf(file: string): { target: string; isType: boolean }[] {
  const text = readFileSync(file, "utf8");
  const pattern = /(?:import|export)\s+(type\s+)?(?:[^"';]*?\sfrom\s+)?"(\.[^"]+)"|import\("(\.[^"]+)"\)/g;
  return [...text.matchAll(pattern)].map((match) => {
    const specifier = match[2] ?? match[3]!;
    const target = resolve(dirname(file), specifier.replace(/\.(js|ts)$/, ""));
    return { target: relative(SRC, target).replaceAll("\\", "/"), isType: match[1] !== undefined };
  });
}

const known = new Set(files.map(nameOf));
const resolved = (target: string): string =>
  known.has(target) ? target : known.has(`${target}/index`) ? `${target}/index` : target;

function layerOf(name: string): number {
  const layer = LAYERS[name] ?? LAYERS[name.split("/")[0]!];
  if (layer === undefined) throw new Error(`${name} has no layer: add it to the table, in the right place.`);
  return layer;
}

describe("architecture", () => {
  it("lets imports point down only", () => {
    const wrong: string[] = [];
    for (const file of files) {
      const name = nameOf(file);
      for (const { target } of importsOf(file)) {
        if (target.startsWith("..")) continue; // shaders, checked below
        const to = resolved(target);
        const sameFolder = name.split("/")[0] === to.split("/")[0] && name.includes("/");
        if (!sameFolder && layerOf(to) > layerOf(name)) wrong.push(`${name} -> ${to}`);
      }
    }
    expect(wrong).toEqual([]);
  });

  it("writes layers, optimizers and MoCo against tensors, with the words for shapes and dtypes", () => {
    const wrong: string[] = [];
    for (const file of files.filter((file) => layerOf(nameOf(file)) >= 6 && nameOf(file) !== "index")) {
      for (const { target } of importsOf(file)) {
        const to = resolved(target);
        const isWord = ["errors", "options", "version", "graph/shape", "graph/dtype", "graph/half"].includes(to);
        if (!isWord && (layerOf(to) < 5 || to.startsWith("dev/"))) wrong.push(`${nameOf(file)} -> ${to}`);
      }
    }
    expect(wrong).toEqual([]);
  });

  it("keeps graph and gpu apart", () => {
    const wrong = files.filter(
      (file) =>
        nameOf(file).startsWith("gpu/") &&
        importsOf(file).some(({ target }) => !target.startsWith("gpu/") && target !== "errors"),
    );
    expect(wrong.map(nameOf)).toEqual([]);
  });

  it("has no import cycles", () => {
    const graph = new Map(
      files.map((file) => [
        nameOf(file),
        importsOf(file)
          .filter(({ isType }) => !isType)
          .map(({ target }) => resolved(target)),
      ]),
    );
    const cycles: string[] = [];
    const done = new Set<string>();
    const visit = (name: string, path: string[]): void => {
      if (path.includes(name)) {
        cycles.push([...path.slice(path.indexOf(name)), name].join(" -> "));
        return;
      }
      if (done.has(name)) return;
      done.add(name);
      for (const next of graph.get(name) ?? []) visit(next, [...path, name]);
    };
    for (const name of graph.keys()) visit(name, []);
    expect(cycles).toEqual([]);
  });

  it("imports shader text in kernels/ only", () => {
    const wrong = files.filter(
      (file) =>
        !nameOf(file).startsWith("kernels/") &&
        /\.wgsl/.test(readFileSync(file, "utf8").replace(/^\s*(\*|\/\/|\/\*\*).*$/gm, "")) &&
        /import[^;]*\.wgsl\?raw/.test(readFileSync(file, "utf8")),
    );
    expect(wrong.map(nameOf)).toEqual([]);
  });

  it("names GPU* types in gpu/ only", () => {
    const code = (file: string): string =>
      readFileSync(file, "utf8")
        .replace(/\/\*[\s\S]*?\*\//g, "")
        .replace(/\/\/.*$/gm, "")
        .replace(/"[^"]*"|`[^`]*`/g, "");
    const wrong = files.filter((file) => !nameOf(file).startsWith("gpu/") && /\bGPU[A-Z]\w+/.test(code(file)));
    expect(wrong.map(nameOf)).toEqual([]);
  });

  it("imports index from nowhere in src", () => {
    const wrong = files.filter((file) => importsOf(file).some(({ target }) => resolved(target) === "index"));
    expect(wrong.map(nameOf)).toEqual([]);
  });

  it("lets the demo import the package by name", () => {
    const demo = filesBelow(join(ROOT, "demo"));
    const wrong = demo.filter((file) => /from "(\.\.\/)+src\//.test(readFileSync(file, "utf8")));
    expect(wrong.map((file) => relative(ROOT, file))).toEqual([]);
  });

  it("lets the demo import the bench, and not the other way round", () => {
    const wrong = filesBelow(join(ROOT, "bench")).filter((file) =>
      importsOf(file).some(({ target }) => target.startsWith("../demo/")),
    );
    expect(wrong.map((file) => relative(ROOT, file))).toEqual([]);
  });

  it("has no run-time dependencies", () => {
    const { dependencies } = JSON.parse(readFileSync(join(ROOT, "package.json"), "utf8")) as { dependencies?: object };
    expect(dependencies ?? {}).toEqual({});
  });
});
