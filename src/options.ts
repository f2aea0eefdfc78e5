/** Options are one object with known names. TypeScript says so to those who use it; the others would train with defaults. */

import { ValueError } from "./errors";

/**
 * Checks that options are an object whose names are all known.
 *
 * @throws ValueError for anything else: a number in their place, a name of Python's, a typing error
 */
export function checkOptionNames(op: string, options: unknown, names: readonly string[]): void {
  const known = names.join(", ");
  if (options === undefined) return;
  if (typeof options !== "object" || options === null || Array.isArray(options)) {
    throw new ValueError(
      `${op}: options must be one object with names of ${known}, got ${JSON.stringify(options)}. Write { ${names[0]!}: ... }.`,
    );
  }
  const wrong = Object.keys(options).find((name) => !names.includes(name));
  if (wrong === undefined) return;
  const near = names.find((name) => plain(name) === plain(wrong));
  throw new ValueError(
    `${op}: options must have names of ${known}, got ${wrong}. ${near ? `Write ${near}.` : "Check the spelling."}`,
  );
}

const plain = (name: string): string => name.replaceAll("_", "").toLowerCase();
