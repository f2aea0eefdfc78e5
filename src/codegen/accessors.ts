/**
 * The functions by which a shader reads a buffer, in each of the ways that its hooks do: one element, or four at once. Where the
 * buffer is bound in windows, they look which one an element lies in.
 */

import { type DType, inRegister } from "../graph/dtype";
import type { ScalarType } from "./specialize";

/** One element; four from an index that 4 divides; four from four times an index; four from any index; four at four indices. */
export type Access = "one" | "vec" | "quad" | "run" | "each";

/** Type of an element in memory. */
export const memoryType = (dtype: DType): ScalarType | "f16" =>
  dtype === "f32" || dtype === "i32" || dtype === "f16" ? dtype : "u32";
/** Type of a scalar among the parameters. */
export const paramType = (dtype: DType): ScalarType => {
  const type = memoryType(dtype);
  return type === "f16" ? "f32" : type;
};

/** Reads of one binding, as expressions. */
export interface Reader {
  /** One element at an index expression. */
  one(index: string): string;
  /** Four elements from an index that 4 divides. */
  vec(index: string): string;
  /** Four elements from four times an index. */
  quad(index: string): string;
}

/** How elements of `dtype` are read from a binding of `memory` elements. */
export function reader(name: string, memory: string, dtype: DType): Reader {
  const isVector = memory.startsWith("vec4");
  const stored = isVector ? memory.slice(5, -1) : memory;
  if (dtype === "u8") {
    const word = (index: string): string => `${name}[${index} / 4u]`;
    const byte = (index: string): string => `(${word(index)} >> (8u * (${index} % 4u))) & 255u`;
    const bytes = (stored: string): string => `(vec4<u32>(${stored}) >> vec4<u32>(0u, 8u, 16u, 24u)) & vec4<u32>(255u)`;
    return { one: byte, vec: (index) => bytes(word(index)), quad: (index) => bytes(`${name}[${index}]`) };
  }
  const scalar = (index: string): string => (isVector ? `${name}[${index} / 4u][${index} % 4u]` : `${name}[${index}]`);
  const vector = (index: string): string =>
    isVector
      ? `${name}[${index} / 4u]`
      : `vec4<${stored}>(${[0, 1, 2, 3].map((l) => `${name}[${index} + ${l}u]`).join(", ")})`;
  return {
    one: (index) => converted(scalar(index), stored, dtype, 1),
    vec: (index) => converted(vector(index), stored, dtype, 4),
    quad: (index) => converted(isVector ? `${name}[${index}]` : vector(`4u * ${index}`), stored, dtype, 4),
  };
}

function converted(value: string, stored: string, dtype: DType, lanes: 1 | 4): string {
  const zero = lanes === 1 ? "0u" : "vec4<u32>(0u)";
  const wide = (type: string): string => (lanes === 1 ? type : `vec4<${type}>`);
  if (dtype === "bool")
    return stored === "u32" ? `${value} != ${zero}` : `bitcast<${wide("u32")}>(${value}) != ${zero}`;
  if (dtype === "f16") return `${wide("f32")}(${value})`;
  return stored === dtype ? value : `bitcast<${wide(dtype)}>(${value})`;
}

/** Reads of a binding that starts with another element than the first: `origin`, an expression. */
export const movedBy = (origin: string, read: Reader): Reader => ({
  one: (index) => read.one(`(${index} - ${origin})`),
  vec: (index) => read.vec(`(${index} - ${origin})`),
  quad: (index) => read.vec(`(4u * ${index} - ${origin})`),
});

/** What is read, and how. */
interface Source {
  readonly name: string;
  readonly dtype: DType;
  readonly accesses: ReadonlySet<Access>;
  /** One for each window, each of `size` elements. */
  readonly reads: readonly Reader[];
  readonly size: number;
}

/** The functions `name_access` that loads call. */
export function accessors(source: Source): string[] {
  const { name, dtype, accesses, reads } = source;
  const isCut = reads.length > 1;
  const type = inRegister(dtype);
  const picked = (index: string): string => (isCut ? `${name}_pick(${index})` : reads[0]!.one(index));
  const four = (one: (lane: number) => string): string => `vec4<${type}>(${[0, 1, 2, 3].map(one).join(", ")})`;
  const run = (one: (index: string) => string, base: string): string => four((lane) => one(`(${base} + ${lane}u)`));
  const functions: Readonly<Record<Access, () => string>> = {
    one: () => `fn ${name}_one(i: u32) -> ${type} { ${choice(source, (read, i) => read.one(i))} }`,
    vec: () => `fn ${name}_vec(i: u32) -> vec4<${type}> { ${choice(source, (read, i) => read.vec(i))} }`,
    quad: () =>
      isCut
        ? `fn ${name}_quad(q: u32) -> vec4<${type}> { let i = 4u * q; ${choice(source, (read, i) => read.vec(i))} }`
        : `fn ${name}_quad(q: u32) -> vec4<${type}> { return ${reads[0]!.quad("q")}; }`,
    run: () =>
      `fn ${name}_run(i: u32) -> vec4<${type}> { ${choice(source, (read, i) => run((at) => read.one(at), i), run(picked, "i"))} }`,
    each: () => `fn ${name}_each(i: vec4<u32>) -> vec4<${type}> { return ${four((lane) => picked(`i[${lane}]`))}; }`,
  };
  const needsPick = isCut && (accesses.has("run") || accesses.has("each"));
  const pick = `fn ${name}_pick(i: u32) -> ${type} { ${choice(source, (read, i) => read.one(i))} }`;
  return [...(needsPick ? [pick] : []), ...[...accesses].map((access) => functions[access]())];
}

/**
 * Statements that return what is read at `i`, from the window that it lies in.
 * @param across for runs of four: what they are where they begin in one window and end in the next
 */
function choice({ reads, size }: Source, text: (read: Reader, index: string) => string, across?: string): string {
  const lines = reads.map((read, window) => {
    const value = `return ${text(read, window === 0 ? "i" : `(i - ${window * size}u)`)};`;
    if (window === reads.length - 1) return value;
    const end = (window + 1) * size;
    if (across === undefined) return `if (i < ${end}u) { ${value} }`;
    return `if (i < ${end - 3}u) { ${value} } if (i < ${end}u) { return ${across}; }`;
  });
  return lines.join(" ");
}
