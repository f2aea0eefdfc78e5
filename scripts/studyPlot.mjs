// @ts-check
/** A study as drawings: losses, a curve a case, and kNN accuracies, a bar a case. Each is an SVG that stands alone and reads on light and dark ground. */
import { meanOf, shown } from "./trainings.mjs";

const SIZE = { width: 860, height: 420, left: 46, right: 120, top: 16, bottom: 36 };
/** Colours that stay apart for those who see few. */
const COLOURS = [
  "#d62728",
  "#1f77b4",
  "#17becf",
  "#2ca02c",
  "#9467bd",
  "#8c564b",
  "#e377c2",
  "#7f7f7f",
  "#bcbd22",
  "#ff7f0e",
];

/**
 * @param {readonly { name: string, runs: readonly { curve: readonly (readonly [number, number])[] }[] }[]} results of each case
 *   its first run is drawn
 * @returns {string}
 */
export function plotOf(results) {
  const curves = results.map(({ name, runs }) => ({ name, curve: runs[0]?.curve ?? [] }));
  const points = curves.flatMap(({ curve }) => curve);
  const last = Math.max(1, ...points.map(([step]) => step));
  const top = Math.ceil(Math.max(1, ...points.map(([, loss]) => loss)));
  const { width, height, left, right, bottom, top: above } = SIZE;
  const x = (/** @type {number} */ step) => left + (step / last) * (width - left - right);
  const y = (/** @type {number} */ loss) => height - bottom - (loss / top) * (height - above - bottom);
  const at = (/** @type {number} */ value) => value.toFixed(1);
  const grid = Array.from({ length: top + 1 }, (_, loss) => {
    const line = `<line x1="${left}" x2="${width - right}" y1="${at(y(loss))}" y2="${at(y(loss))}" class="grid"/>`;
    return `${line}<text x="${left - 8}" y="${at(y(loss) + 4)}" text-anchor="end">${loss}</text>`;
  });
  const steps = Array.from({ length: 7 }, (_, i) => Math.round((i * last) / 6));
  const ticks = steps.map((step) => `<text x="${at(x(step))}" y="${height - 14}" text-anchor="middle">${step}</text>`);
  const lines = curves.map(({ name, curve }, i) => {
    const colour = COLOURS[i % COLOURS.length];
    const dash = i < COLOURS.length ? "" : ' stroke-dasharray="5 4"';
    const path = curve.map(([step, loss]) => `${at(x(step))},${at(y(loss))}`).join(" ");
    const label = `<text x="${width - right + 34}" y="${24 + 20 * i}">${escaped(name)}</text>`;
    const key = `<line x1="${width - right + 8}" x2="${width - right + 28}" y1="${20 + 20 * i}" y2="${20 + 20 * i}" stroke="${colour}"${dash} class="curve"/>`;
    return `<polyline points="${path}" stroke="${colour}"${dash} class="curve"/>${key}${label}`;
  });
  return `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${width} ${height}" role="img" aria-label="Loss by step, a curve a case">
<style>
text { font: 13px system-ui, sans-serif; fill: #444; }
.grid { stroke: #8884; }
.curve { fill: none; stroke-width: 2; }
@media (prefers-color-scheme: dark) { text { fill: #ccc; } }
</style>
${grid.join("\n")}
${ticks.join("\n")}
${lines.join("\n")}
<text x="${at((left + width - right) / 2)}" y="${height - 1}" text-anchor="middle">step</text>
</svg>
`;
}

const BARS = { width: 860, left: 90, right: 120, top: 12, bottom: 40, row: 26, thick: 16 };

/**
 * Bars from 0 to 100 %, so that their lengths compare; a dot a seed where there are several, and the recipe's height through all of them.
 *
 * @param {readonly { name: string, runs: readonly { knn: number }[] }[]} results
 * @returns {string}
 */
export function barsOf(results) {
  const { width, left, right, top, bottom, row, thick } = BARS;
  const rows = results.filter(({ runs }) => runs.length > 0).map(({ name, runs }) => ({ name, knns: percents(runs) }));
  const floor = top + row * rows.length;
  const height = floor + bottom;
  const x = (/** @type {number} */ percent) => (left + (percent / 100) * (width - left - right)).toFixed(1);
  const grid = [0, 20, 40, 60, 80, 100].map((percent) => {
    const line = `<line x1="${x(percent)}" x2="${x(percent)}" y1="${top}" y2="${floor}" class="grid"/>`;
    return `${line}<text x="${x(percent)}" y="${floor + 18}" text-anchor="middle">${percent}</text>`;
  });
  const bars = rows.map(({ name, knns }, i) => {
    const middle = top + row * (i + 0.5);
    const length = (Number(x(meanOf(knns))) - left).toFixed(1);
    const bar = `<rect x="${left}" y="${middle - thick / 2}" width="${length}" height="${thick}" class="bar"/>`;
    const dots =
      knns.length > 1 ? knns.map((knn) => `<circle cx="${x(knn)}" cy="${middle}" r="2.5" class="seed"/>`) : [];
    const label = `<text x="${left - 8}" y="${middle + 4}" text-anchor="end">${escaped(name)}</text>`;
    const value = `<text x="${width - right + 8}" y="${middle + 4}">${shown(knns)}</text>`;
    return `${bar}${dots.join("")}${label}${value}`;
  });
  const recipe = rows.filter(({ name }) => name === "recipe").map(({ knns }) => x(meanOf(knns)));
  const lines = recipe.map((at) => `<line x1="${at}" x2="${at}" y1="${top}" y2="${floor}" class="recipe"/>`);
  return `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${width} ${height}" role="img" aria-label="kNN accuracy in percent, a bar a case">
<style>
text { font: 13px system-ui, sans-serif; fill: #444; }
.grid { stroke: #8884; }
.bar { fill: #1f77b4; }
.seed { fill: #ff7f0e; }
.recipe { stroke: #ff7f0e; stroke-width: 1.5; stroke-dasharray: 5 4; }
@media (prefers-color-scheme: dark) { text { fill: #ccc; } }
</style>
${grid.join("\n")}
${bars.join("\n")}
${lines.join("\n")}
<text x="${x(50)}" y="${height - 6}" text-anchor="middle">kNN accuracy, %; dashed: the recipe's</text>
</svg>
`;
}

/** @param {readonly { knn: number }[]} runs */
const percents = (runs) => runs.map(({ knn }) => 100 * knn);

/** @param {string} text */
const escaped = (text) => text.replaceAll("&", "&amp;").replaceAll("<", "&lt;");
