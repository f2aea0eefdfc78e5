/** Writes out loops marked `// @unroll`: register blocks need it, since compilers do not keep indexed arrays in registers. */

import { InternalError } from "../errors";

const MARK = /^[ \t]*\/\/ @unroll[^\n]*\n[ \t]*for \(var (\w+) = (\w+); \1 < (\w+); \1(?:\+\+|\+= ?1u)\) \{/m;

/** Every marked loop becomes its body, once for each value of its variable; inner loops after outer ones. */
export function unrollLoops(source: string): string {
  let text = source;
  for (let match = MARK.exec(text); match; match = MARK.exec(text)) {
    const [head, variable, from, to] = match as unknown as [string, string, string, string];
    const start = constantOf(text, from);
    const stop = constantOf(text, to);
    const open = match.index + head.length;
    const close = matchingBrace(text, open);
    const body = text.slice(open, close);
    const copies: string[] = [];
    for (let value = start; value < stop; value++) {
      copies.push(`{${body.replace(new RegExp(`\\b${variable}\\b`, "g"), `${value}u`)}}`);
    }
    text = text.slice(0, match.index) + copies.join("\n") + text.slice(close + 1);
  }
  return text;
}

/** Value of a literal or of a const line: literals, other consts, + - * / % and parentheses. */
function constantOf(source: string, word: string): number {
  const literal = /^(\d+)u?$/.exec(word);
  if (literal) return Number(literal[1]);
  const declared = /^\w+$/.test(word) ? new RegExp(`^const ${word}(?:: \\w+)? = ([^;]+);`, "m").exec(source) : null;
  if (!declared) throw new InternalError(`unroll: loop bounds must be literals or const lines, got ${word}.`);
  const tokens = declared[1]!.match(/\w+|[-+*/%()]/g) ?? [];
  return sumOf(tokens, (name) => constantOf(source, name));
}

type ValueOf = (word: string) => number;

/** Products with + and - between them. Takes its tokens off the front. */
function sumOf(tokens: string[], valueOf: ValueOf): number {
  let value = productOf(tokens, valueOf);
  while (tokens[0] === "+" || tokens[0] === "-") {
    value = tokens.shift() === "+" ? value + productOf(tokens, valueOf) : value - productOf(tokens, valueOf);
  }
  return value;
}

/** Factors with *, / and % between them, in whole numbers. */
function productOf(tokens: string[], valueOf: ValueOf): number {
  let value = factorOf(tokens, valueOf);
  while (tokens[0] === "*" || tokens[0] === "/" || tokens[0] === "%") {
    const operator = tokens.shift();
    const factor = factorOf(tokens, valueOf);
    value = operator === "*" ? value * factor : operator === "/" ? Math.floor(value / factor) : value % factor;
  }
  return value;
}

function factorOf(tokens: string[], valueOf: ValueOf): number {
  const token = tokens.shift() ?? "";
  if (token !== "(") return valueOf(token);
  const value = sumOf(tokens, valueOf);
  tokens.shift(); // the closing parenthesis
  return value;
}

function matchingBrace(source: string, open: number): number {
  let depth = 1;
  for (let i = open; i < source.length; i++) {
    if (source[i] === "{") depth++;
    if (source[i] === "}" && --depth === 0) return i;
  }
  throw new InternalError("unroll: braces must match.");
}
