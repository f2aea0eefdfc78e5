/** The comparison as a page that stands alone in one file. */

import { type PeerReport, verdictsOf } from "./judge";
import { circumstances, countsTable, reasonsOf, type Table, timesTable, verdictTable } from "./report";

/** A page that stands alone; `script` draws the plots from the report that the page holds. */
export function htmlOf(report: PeerReport, script: string): string {
  const reasons = reasonsOf(report);
  const verdicts = verdictTable(verdictsOf(report));
  return `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<title>flywheel and its peers</title>
<style>
body { font: 15px/1.5 system-ui, sans-serif; margin: 2rem auto; max-width: 80rem; padding: 0 1rem; color: #222; }
table { border-collapse: collapse; font-size: 13px; font-variant-numeric: tabular-nums; display: block; overflow-x: auto; }
th, td { padding: 0.15rem 0.6rem; border-bottom: 1px solid #ddd; text-align: right; white-space: nowrap; }
.text { text-align: left; }
#rounds { display: flex; flex-wrap: wrap; gap: 1rem; }
</style>
</head>
<body>
<h1>flywheel and its peers</h1>
<ul>${circumstances(report)
    .map((line) => `<li>${escaped(line)}</li>`)
    .join("")}</ul>
<h2>Milliseconds of one run</h2>
<div id="times"></div>
${htmlTable(timesTable(report))}
<h2>What was promised</h2>
${htmlTable(verdicts, 4)}
<h2>What one run asks of the device</h2>
${htmlTable(countsTable(report), 2)}
<h2>By round</h2>
<div id="rounds"></div>
${reasons.length > 0 ? `<h2>Not measured</h2><ul>${reasons.map((reason) => `<li>${escaped(reason)}</li>`).join("")}</ul>` : ""}
<script type="application/json" id="report">${JSON.stringify(report).replaceAll("<", "\\u003c")}</script>
<script>${script.replaceAll("</script", "<\\/script")}</script>
</body>
</html>
`;
}

const escaped = (text: string): string =>
  text.replaceAll("&", "&amp;").replaceAll("<", "&lt;").replaceAll(">", "&gt;").replaceAll('"', "&quot;");

function htmlTable([head, ...lines]: Table, textColumns = 1): string {
  const row = (tag: string, cells: readonly string[]): string => {
    const shown = cells.map((cell, column) =>
      column < textColumns ? `<${tag} class="text">${escaped(cell)}</${tag}>` : `<${tag}>${escaped(cell)}</${tag}>`,
    );
    return `<tr>${shown.join("")}</tr>`;
  };
  return `<table>${row("th", head!)}${lines.map((line) => row("td", line)).join("")}</table>`;
}
