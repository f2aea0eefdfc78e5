// @ts-check
/** The losses of a study as a drawing: a curve a case, in one SVG that stands alone and reads on light and dark ground. */

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

/** @param {string} text */
const escaped = (text) => text.replaceAll("&", "&amp;").replaceAll("<", "&lt;");
