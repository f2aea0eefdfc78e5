// @ts-check
/** What `npm run interop` found, as Markdown. Runs nothing. */
import { tableOf } from "./trainings.mjs";

/**
 * @typedef {object} Check
 * @property {string} what
 * @property {string} wanted
 * @property {string} got
 * @property {boolean} holds
 *
 * @typedef {object} Circumstances
 * @property {string} adapter flywheel's.
 * @property {Readonly<Record<string, string>>} versions
 * @property {number} lr Of the trainings: the higher it is, the more they make of roundings.
 */

/**
 * @param {readonly Check[]} checks
 * @param {Circumstances} circumstances
 */
export function markdownOf(checks, { adapter, versions, lr }) {
  const failed = checks.filter(({ holds }) => !holds).length;
  const rows = checks.map(({ what, got, wanted, holds }) => [what, got, wanted, holds ? "ok" : "**FAILED**"]);
  return `# Checkpoints from flywheel to PyTorch, and back

Written by \`npm run interop -- --write-results\`. ${failed === 0 ? `All ${checks.length} checks hold.` : `**${failed} of ${checks.length} checks failed.**`}

- adapter: ${adapter}
- versions: ${Object.entries(versions)
    .map(([name, version]) => `${name} ${version}`)
    .join(", ")}
- learning rate of the trainings: ${lr}

${tableOf([["check", "value", "bound", ""], ["---", "--:", "--:", "--:"], ...rows])}
`;
}
