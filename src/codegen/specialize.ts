/**
 * Fills the named holes of a shader file. Takes a `.wgsl` file and what its constants, hooks and parameters shall be;
 * gives WGSL text with the places of its bindings and parameters. It never writes control flow: what is not a hole stays
 * as it is in the file.
 */

import { InternalError } from "../errors";
import type { Pass, Shader } from "../kernels/kernel";
import { usedFunctions, withoutStandIns } from "./library";
import { unrollLoops } from "./unroll";

export type ScalarType = "f32" | "i32" | "u32";

/** A binding that a fused hook needs. */
export interface ExtraBinding {
  readonly name: string;
  /** WGSL type: `array<f32>`, `array<vec4<u32>>` ... */
  readonly type: string;
  readonly access: "read" | "read_write";
}

export interface Field {
  readonly name: string;
  readonly type: ScalarType;
}

export interface Holes {
  /** New values of `const NAME = 16u;` lines. */
  readonly consts?: Readonly<Record<string, number>>;
  /** New types of `alias Name = f32;` lines. */
  readonly aliases?: Readonly<Record<string, string>>;
  /** Hook name -> the whole function that takes the place of its default line. */
  readonly hooks?: Readonly<Record<string, string>>;
  /**
   * Hooks whose first arguments are constants where loops are written out: a function for each of them takes the place of the default
   * line. By name, and by the constants joined by `_`: `load(1u, x)` calls `fn load_1(x)`.
   */
  readonly families?: Readonly<Record<string, Readonly<Record<string, string>>>>;
  /** Functions that hook bodies call. */
  readonly helpers?: readonly string[];
  readonly extraBindings?: readonly ExtraBinding[];
  readonly extraParams?: readonly Field[];
  /** Bindings of the file that this use does not have; their declarations go. */
  readonly unbound?: readonly string[];
}

/** The holes that a kernel's wrapper fills. */
export const holesOf = ({ consts = {}, aliases = {}, hooks = {}, unbound = [] }: Pass): Holes => ({
  consts,
  aliases,
  hooks,
  unbound,
});

export interface Specialized {
  readonly wgsl: string;
  /** Binding name -> number. */
  readonly bindings: ReadonlyMap<string, number>;
  /** Fields of `Params`, in order, 4 bytes each. */
  readonly params: readonly Field[];
}

const ENABLE_SUBGROUPS = "enable subgroups;";
const ENABLE_F16 = "enable f16;";
const BINDING = /^@group\(0\) @binding\((\d+)\) var<([^>]+)> (\w+): (.+);.*$/;
export const PARAMS = /struct Params \{([^}]*)\}/;

/** Declared bindings of a shader file, in order. */
export function bindingsOf(source: string): { name: string; number: number; space: string; type: string }[] {
  return source.split("\n").flatMap((line) => {
    const match = BINDING.exec(line);
    return match ? [{ number: Number(match[1]), space: match[2]!, name: match[3]!, type: match[4]! }] : [];
  });
}

/** Names of a shader's hooks. */
export const hooksOf = (source: string): string[] =>
  [...source.matchAll(/^fn (\w+)\(.*\/\/ @hook.*$/gm)].map((match) => match[1]!);

function fieldsOf(source: string): Field[] {
  const body = PARAMS.exec(source)?.[1] ?? "";
  const text = body.replace(/\/\/.*$/gm, "");
  return [...text.matchAll(/(\w+)\s*:\s*(f32|i32|u32)/g)].map((match) => ({
    name: match[1]!,
    type: match[2] as ScalarType,
  }));
}

/** Files with their constants set and their loops written out: the costly half, which many uses share. */
const unrolled = new Map<string, string>();
const MAX_UNROLLED = 512;

function withConsts(shader: Shader, consts: Readonly<Record<string, number>>): string {
  const key = `${shader.name} ${JSON.stringify(consts)}`;
  let text = unrolled.get(key);
  if (text === undefined) {
    text = withoutStandIns(shader.source);
    for (const [name, value] of Object.entries(consts)) text = replaceConst(shader.name, text, name, value);
    text = unrollLoops(text);
    if (unrolled.size >= MAX_UNROLLED) unrolled.clear();
    unrolled.set(key, text);
  }
  return text;
}

/** Specialises one shader file. */
export function specialize(shader: Shader, libraries: readonly Shader[], holes: Holes): Specialized {
  let source = withConsts(shader, holes.consts ?? {});
  for (const [name, type] of Object.entries(holes.aliases ?? {})) {
    source = replaceLine(shader.name, source, new RegExp(`^alias ${name} = .*$`, "m"), `alias ${name} = ${type};`);
  }
  for (const [name, body] of Object.entries(holes.hooks ?? {})) {
    source = replaceLine(shader.name, source, new RegExp(`^fn ${name}\\(.*// @hook.*$`, "m"), body);
  }
  for (const [name, functions] of Object.entries(holes.families ?? {}))
    source = withFamily(shader.name, source, name, functions);
  for (const name of holes.unbound ?? []) {
    source = replaceLine(
      shader.name,
      source,
      new RegExp(`^@group\\(0\\) @binding\\(\\d+\\) var<[^>]+> ${name}: .*$`, "m"),
      "",
    );
  }
  const params = [...fieldsOf(source), ...(holes.extraParams ?? [])];
  source = source.replace(PARAMS, `struct Params { ${params.map(({ name, type }) => `${name}: ${type}`).join(", ")} }`);

  const declared = bindingsOf(source);
  const bindings = new Map(declared.map(({ name, number }) => [name, number]));
  let next = Math.max(-1, ...declared.map(({ number }) => number)) + 1;
  const extra = (holes.extraBindings ?? []).map(({ name, type, access }) => {
    bindings.set(name, next);
    return `@group(0) @binding(${next++}) var<storage, ${access}> ${name}: ${type};`;
  });
  const helpers = holes.helpers ?? [];
  const text = [source, ...extra, ...helpers].join("\n");
  const functions = usedFunctions([...(shader.libs ?? []), ...libraries], text);
  const enabled = [
    ...(/\bf16\b/.test(text) ? [ENABLE_F16] : []),
    ...(text.includes("subgroupBroadcast(") ? [ENABLE_SUBGROUPS] : []),
  ];
  const body = text.replace(ENABLE_F16, "").replace(ENABLE_SUBGROUPS, ""); // they must come first
  const wgsl = [...enabled, ...functions, body].join("\n");
  return { wgsl, bindings, params };
}

/** A file with a function for each constant that a hook is called with. */
function withFamily(shader: string, source: string, name: string, functions: Readonly<Record<string, string>>): string {
  const texts = Object.values(functions).join("\n");
  const named = replaceLine(shader, source, new RegExp(`^fn ${name}\\(.*// @hook.*$`, "m"), texts);
  const constants = Object.keys(functions)[0]!
    .split("_")
    .map(() => "(\\d+)u");
  const call = new RegExp(`\\b${name}\\(${constants.join(", ")}(?:, )?`, "g");
  return named.replace(call, (_, ...found: string[]) => `${name}_${found.slice(0, constants.length).join("_")}(`);
}

function replaceConst(shader: string, source: string, name: string, value: number): string {
  const pattern = new RegExp(`^const ${name}(: \\w+)? = [^;]*?(u|f|i)?;`, "m");
  const match = pattern.exec(source);
  if (!match)
    throw new InternalError(
      `specialize: ${shader}.wgsl must have a line "const ${name} = ...;". Add it, or do not set it.`,
    );
  return source.replace(pattern, `const ${name}${match[1] ?? ""} = ${value}${match[2] ?? ""};`);
}

function replaceLine(shader: string, source: string, pattern: RegExp, line: string): string {
  if (!pattern.test(source))
    throw new InternalError(`specialize: ${shader}.wgsl must have a line like ${pattern.source}.`);
  return source.replace(pattern, () => line);
}
