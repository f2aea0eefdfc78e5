// @ts-check
/**
 * `npm run bar`: whether training in headless Chrome reaches what the project promises. Trains as `npm start` does, 300
 * steps from seed 0, computes the kNN accuracy once more from the written features, in plain loops that share nothing with
 * the library, and prints one line a check. It takes minutes, so `npm test` leaves it out.
 *
 * Exit codes: 0 all hold, 1 one does not or the training failed, 2 nothing to run on.
 */
import { spawnSync } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { featureFiles } from "./cli.mjs";
import { root, runMain } from "./setup.mjs";

/**
 * @typedef {object} Check
 * @property {string} what
 * @property {string} wanted
 * @property {number} got NaN if it was not measured
 * @property {boolean} holds
 */

// ---- what must hold ----

/**
 * @param {Pick<import("../demo/loop").RunResult, "loss" | "contrastAccuracy" | "knnBefore" | "knnAfter">} result what the run says
 * @param {number} knn accuracy, computed from its features
 * @returns {Check[]}
 */
export function checksOf({ loss, contrastAccuracy, knnBefore, knnAfter }, knn) {
  // Null, which is what JSON makes of NaN, must satisfy nothing.
  const [before, after] = [knnBefore ?? NaN, knnAfter ?? NaN];
  return [
    atLeast("kNN accuracy", after, 0.825),
    atLeast("kNN accuracy gained by training", after - before, 0.08),
    atMost("kNN accuracy, difference when computed again", Math.abs(after - knn), 0.002),
    atMost("loss, mean of the last 20 steps", loss ?? NaN, 2.3),
    atLeast("contrast accuracy, mean of the last 20 steps", contrastAccuracy ?? NaN, 0.55),
  ];
}

/**
 * @param {string} what
 * @param {number} got
 * @param {number} bound
 */
function atLeast(what, got, bound) {
  return { what, wanted: `>= ${bound}`, got, holds: got >= bound };
}

/**
 * @param {string} what
 * @param {number} got
 * @param {number} bound
 */
function atMost(what, got, bound) {
  return { what, wanted: `<= ${bound}`, got, holds: got <= bound };
}

/** @param {readonly Check[]} rows */
function table(rows) {
  const width = Math.max(...rows.map(({ what }) => what.length));
  return rows
    .map(({ what, wanted, got, holds }) =>
      [what.padEnd(width), got.toFixed(4).padStart(8), wanted.padEnd(8), holds ? "ok" : "FAILED"].join("  "),
    )
    .join("\n");
}

// ---- kNN from files ----

/**
 * Values of an .npy file, f32 or u8.
 *
 * @param {string} path
 * @returns {{ shape: number[], data: Float32Array | Uint8Array }}
 */
export function readNpy(path) {
  const file = readFileSync(path);
  const [start, length] = file[6] === 1 ? [10, file.readUInt16LE(8)] : [12, file.readUInt32LE(8)];
  const header = file.toString("latin1", start, start + length);
  const type = /'descr': '(<f4|\|u1)'/.exec(header)?.[1];
  const shape = /'shape': \(([\d, ]*)\)/.exec(header)?.[1];
  if (
    file.toString("latin1", 1, 6) !== "NUMPY" ||
    !type ||
    shape === undefined ||
    !/'fortran_order': False/.test(header)
  )
    throw new Error(`${path} must be an .npy file of f32 or u8 in C order, got the header ${JSON.stringify(header)}.`);
  const bytes = new Uint8Array(file.subarray(start + length)); // a copy, so that f32 are aligned
  return {
    shape: shape
      .split(",")
      .filter((size) => size.trim())
      .map(Number),
    data: type === "|u1" ? bytes : new Float32Array(bytes.buffer),
  };
}

/**
 * Share of the test rows that the vote of their nearest bank rows classifies right; each vote is exp(cosine / temperature).
 *
 * @param {object} given rows of length 1, `[count, dim]`, and the class of each
 * @param {Float32Array} given.bank
 * @param {ArrayLike<number>} given.bankLabels
 * @param {Float32Array} given.test
 * @param {ArrayLike<number>} given.testLabels
 * @param {{ k?: number, temperature?: number }} [options]
 */
export function knnAccuracy({ bank, bankLabels, test, testLabels }, { k = 200, temperature = 0.1 } = {}) {
  const dim = bank.length / bankLabels.length;
  const similarities = new Float64Array(bankLabels.length);
  let correct = 0;
  for (let i = 0; i < testLabels.length; i++) {
    for (let j = 0; j < similarities.length; j++) {
      let sum = 0;
      for (let d = 0; d < dim; d++)
        sum += /** @type {number} */ (test[i * dim + d]) * /** @type {number} */ (bank[j * dim + d]);
      similarities[j] = sum;
    }
    const votes = votesOf(similarities, bankLabels, { k, temperature });
    if (votes.indexOf(Math.max(...votes)) === testLabels[i]) correct++;
  }
  return correct / testLabels.length;
}

/**
 * @param {Float64Array} similarities
 * @param {ArrayLike<number>} labels
 * @param {{ k: number, temperature: number }} options
 */
function votesOf(similarities, labels, { k, temperature }) {
  const sorted = similarities.slice().sort();
  const least = sorted.at(-k) ?? -Infinity; // of the k nearest; fewer than k rows all vote
  /** @type {number[]} */
  const votes = [];
  similarities.forEach((similarity, j) => {
    const label = /** @type {number} */ (labels[j]);
    while (votes.length <= label) votes.push(0);
    if (similarity >= least) votes[label] = /** @type {number} */ (votes[label]) + Math.exp(similarity / temperature);
  });
  return votes;
}

// ---- the run ----

/** @returns {number} the exit code */
function main() {
  const folder = mkdtempSync(join(tmpdir(), "flywheel-bar-"));
  try {
    const [features, json] = [join(folder, "features.npy"), join(folder, "result.json")];
    const run = ["--headless", "--steps", "300", "--seed", "0", "--features", features, "--json", json];
    const { status } = spawnSync(process.execPath, ["scripts/start.mjs", ...run], { cwd: root, stdio: "inherit" });
    if (status !== 0) return status ?? 1;

    const { bank, bank_labels: bankLabels, test, test_labels: testLabels } = arrays(featureFiles(features));
    const knn = knnAccuracy({ bank, bankLabels, test, testLabels });
    const rows = checksOf(JSON.parse(readFileSync(json, "utf8")), knn);
    console.log(`\n${table(rows)}`);
    return rows.every(({ holds }) => holds) ? 0 : 1;
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

/**
 * @param {Record<string, string>} files
 * @returns {Record<string, any>} the values of each
 */
function arrays(files) {
  return Object.fromEntries(Object.entries(files).map(([name, path]) => [name, readNpy(path).data]));
}

if (process.argv[1] === fileURLToPath(import.meta.url)) await runMain(() => Promise.resolve(main()), import.meta.url);
