/** Picks from `shaders/lib` the functions that a shader calls, and what those call. */

import type { Shader } from "../kernels/kernel";

interface Declaration {
  readonly name: string;
  readonly text: string;
}

const cache = new Map<string, readonly Declaration[]>();

/** Top-level functions, structs and constants of a library file, in order. */
function declarationsOf(source: string): readonly Declaration[] {
  const known = cache.get(source);
  if (known) return known;
  const declarations: Declaration[] = [];
  const head = /^(?:fn (\w+)|const (\w+)|struct (\w+)|alias (\w+))/gm;
  for (let match = head.exec(source); match; match = head.exec(source)) {
    const name = match[1] ?? match[2] ?? match[3] ?? match[4]!;
    const isBlock = match[1] !== undefined || match[3] !== undefined;
    const end = isBlock ? endOfBlock(source, match.index) : source.indexOf(";", match.index) + 1;
    declarations.push({ name, text: source.slice(match.index, end) });
    head.lastIndex = end;
  }
  cache.set(source, declarations);
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

/** Texts of the declarations that `text` needs, in an order that reads well: as in the files. */
export function usedFunctions(libraries: readonly Shader[], text: string): string[] {
  const all = [...new Set(libraries)].flatMap(({ source }) => declarationsOf(source));
  const byName = new Map(all.map((declaration) => [declaration.name, declaration]));
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
