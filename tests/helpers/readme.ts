/** The examples of README.md. */

import readme from "../../README.md?raw";

/** Texts of the fenced blocks of a language, in order. */
export const readmeBlocks = (language: string): string[] =>
  [...readme.matchAll(new RegExp(`^\`\`\`${language}\\n([^]*?)^\`\`\`$`, "gm"))].map((match) => match[1]!);
