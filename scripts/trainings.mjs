// @ts-check
/** Trainings by `npm start` for scripts that compare many, and how their numbers are shown. */
import { spawn } from "node:child_process";
import { join } from "node:path";
import { root } from "./setup.mjs";

/**
 * One training, without a window and in a process of its own. What it warns of goes to stderr.
 *
 * @param {string} name for messages
 * @param {readonly string[]} args of `npm start`
 * @returns {Promise<string[]>} the lines that it printed, the last of which is JSON
 */
export async function train(name, args) {
  process.stderr.write(`${name}\n`);
  const child = spawn(process.execPath, [join(root, "scripts/start.mjs"), "--headless", ...args], {
    stdio: ["ignore", "pipe", "inherit"],
  });
  let text = "";
  child.stdout.on("data", (/** @type {Buffer} */ chunk) => (text += chunk.toString()));
  const code = await new Promise((resolve, reject) => child.on("close", resolve).on("error", reject));
  const lines = text.trim().split("\n");
  if (code !== 0) throw new Error(`The training ${name} ended with ${code}: ${lines.at(-1)}`);
  return lines;
}

/** @param {readonly number[]} values */
export const meanOf = (values) => values.reduce((sum, value) => sum + value, 0) / values.length;

/**
 * The mean of some seeds, and the standard deviation where there are several.
 *
 * @param {readonly number[]} values
 * @returns {string}
 *
 * @example
 * shown([83, 84]); // "83.50 ± 0.71"
 */
export function shown(values) {
  const mean = meanOf(values);
  if (values.length < 2) return mean.toFixed(2);
  const variance = values.reduce((sum, value) => sum + (value - mean) ** 2, 0) / (values.length - 1);
  return `${mean.toFixed(2)} ± ${Math.sqrt(variance).toFixed(2)}`;
}

/**
 * A table as Markdown.
 *
 * @param {readonly (readonly string[])[]} rows
 */
export const tableOf = (rows) => rows.map((row) => `| ${row.join(" | ")} |`).join("\n");
