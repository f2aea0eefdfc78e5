/** Picks from `shaders/lib` the functions that a shader calls, and what those call. */

import type { Shader } from "../kernels/kernel";

interface Declaration {
  readonly name: string;
  readonly text: string;
}

/** A stand-in for a library declaration, there so that a file compiles alone; the library's own takes its place. */
const STAND_IN = /^.*\/\/ @lib$\n?/gm;

export const withoutStandIns = (source: string): string => source.replace(STAND_IN, "");

const cache = new Map<Shader, readonly Declaration[]>();

function librarysDeclarations(library: Shader): readonly Declaration[] {
  let known = cache.get(library);
  if (!known) cache.set(library, (known = declarationsOf(withoutStandIns(library.source))));
  return known;
}

/** Top-level functions, structs and constants, in order. */
function declarationsOf(source: string): readonly Declaration[] {
  const declarations: Declaration[] = [];
  const head = /^(?:fn (\w+)|const (\w+)|struct (\w+)|alias (\w+))/gm;
  for (let match = head.exec(source); match; match = head.exec(source)) {
    const name = match[1] ?? match[2] ?? match[3] ?? match[4]!;
    const isBlock = match[1] !== undefined || match[3] !== undefined;
    const end = isBlock ? endOfBlock(source, match.index) : source.indexOf(";", match.index) + 1;
    declarations.push({ name, text: source.slice(match.index, end) });
    head.lastIndex = end;
  }
  return declarations;
}

function endOfBlock(source: string, start: number): number {
  let depth = 0;
  for (let i = source.indexOf("{", start); i < source.length; i++) {
    if (source[i] === "{") depth++;
    if (source[i] === "}" && --depth === 0) return i + 1;
  }
  return source.length;
}

const wordsOf = (text: string): Set<string> => new Set(text.match(/\w+/g));

/** Characters of a text and of all that it calls, each once: what a copy of it costs to compile. */
export const writtenLength = (libraries: readonly Shader[], text: string): number =>
  usedFunctions(libraries, text).reduce((sum, { length }) => sum + length, text.length);

/** Texts of the declarations that `text` needs, in an order that reads well: as in the files. */
export function usedFunctions(libraries: readonly Shader[], text: string): string[] {
  const all = [...new Set(libraries)].flatMap(librarysDeclarations);
  const own = new Set(declarationsOf(text).map(({ name }) => name)); // what a file declares itself is not added again
  const byName = new Map(
    all.filter(({ name }) => !own.has(name)).map((declaration) => [declaration.name, declaration]),
  );
  const used = new Set<Declaration>();
  const queue = [text];
  for (let next = queue.pop(); next !== undefined; next = queue.pop()) {
    for (const word of wordsOf(next)) {
      const declaration = byName.get(word);
      if (!declaration || used.has(declaration)) continue;
      used.add(declaration);
      queue.push(declaration.text);
    }
  }
  return all.filter((declaration) => used.has(declaration)).map(({ text: body }) => body);
}
