// @ts-check
/**
 * The command lines of `npm run bench` and other scripts that measure: each option that takes a value, or is a switch, with a function that
 * checks it. A bad input is a SetupError of one sentence.
 */
import { statSync } from "node:fs";
import { dirname, resolve } from "node:path";
import { parseArgs } from "node:util";
import { SetupError } from "./setup.mjs";

/**
 * Reads a command line. With `--help` or `-h` nothing else is looked at.
 *
 * @param {string} command as it is typed: "npm run bench"
 * @param {string[]} argv
 * @param {{ taking: Record<string, (value: string) => void>, switches: Record<string, () => void>, word?: (word: string) => void }} options
 *   called in order; `word` for what is no option, which without it is wrong
 * @returns {boolean} whether help is wanted
 * @throws SetupError for what is no option, has no value, or has one too many
 */
export function readOptions(command, argv, { taking, switches, word }) {
  /** @type {Record<string, { type: "string" | "boolean", short?: string }>} */
  const types = { help: { type: "boolean", short: "h" } };
  for (const name of Object.keys(taking)) types[name] = { type: "string" };
  for (const name of Object.keys(switches)) types[name] = { type: "boolean" };
  const wrong = (/** @type {string} */ problem) => wrongOption(command, problem);
  const { tokens } = parseArgs({ args: argv, strict: false, allowPositionals: true, tokens: true, options: types });
  if (tokens.some((token) => token.kind === "option" && token.name === "help")) return true;
  for (const token of tokens) {
    if (token.kind === "positional" && word) word(token.value);
    else if (token.kind === "positional") wrong(`options must start with --, got "${token.value}"`);
    if (token.kind !== "option") continue;
    const { name, rawName, value } = token;
    if (Object.hasOwn(switches, name) && value === undefined) switches[name]?.();
    else if (Object.hasOwn(switches, name)) wrong(`${rawName} takes no value, got "${value}"`);
    else if (!Object.hasOwn(taking, name)) wrong(`${rawName} is no option`);
    else if (value === undefined || value === "" || value.startsWith("--")) wrong(`${rawName} needs a value`);
    else taking[name]?.(value);
  }
  return false;
}

/**
 * @param {string} command
 * @param {string} problem
 * @returns {never}
 */
export function wrongOption(command, problem) {
  throw new SetupError(`${problem}: see ${command} -- --help.`);
}

/**
 * @param {string} command
 * @param {string} flag
 * @param {string} text
 * @param {number} most
 * @returns {number} from 1
 */
export function countOption(command, flag, text, most) {
  const count = /^\d{1,6}$/.test(text) ? Number(text) : 0;
  if (count < 1 || count > most) wrongOption(command, `${flag} must be an integer from 1 to ${most}, got "${text}"`);
  return count;
}

/**
 * @param {string} command
 * @param {string} flag
 * @param {string} text names with commas between
 * @param {readonly string[]} known
 * @returns {string[]}
 */
export function listOption(command, flag, text, known) {
  const names = text.split(",");
  const stranger = names.find((name) => !known.includes(name));
  if (stranger !== undefined) wrongOption(command, `${flag} must name some of ${known.join(", ")}, got "${stranger}"`);
  return names;
}

/**
 * A file that can be written, from where the user ran npm.
 *
 * @param {string} command
 * @param {string} flag
 * @param {string} path
 * @returns {string} absolute
 */
export function fileOption(command, flag, path) {
  const file = userPath(path);
  if (!statSync(dirname(file), { throwIfNoEntry: false })?.isDirectory())
    wrongOption(command, `${flag} must name a file in an existing folder, got "${path}"`);
  if (statSync(file, { throwIfNoEntry: false })?.isDirectory())
    wrongOption(command, `${flag} must name a file, got the folder "${path}"`);
  return file;
}

/** @param {string} path */
export const userPath = (path) => resolve(process.env["INIT_CWD"] || process.cwd(), path);
