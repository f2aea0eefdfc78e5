// @ts-check
/**
 * A vitest reporter: when the run ends, it prints which results were compared within more than 1e-5 of their values, a row for
 * each op at which the bound became so wide. `tests/helpers/wide` notes them, `tests/helpers/tolerance` is the formula.
 */

/** @typedef {{ name: string, width: number, because: string }} Wide */

export default class WideReporter {
  /** @param {readonly import("vitest/node").TestModule[]} modules */
  onTestRunEnd(modules) {
    let compared = 0;
    /** @type {Map<string, { count: number, widest: Wide }>} */
    const rows = new Map();
    let wide = 0;
    for (const module of modules) {
      for (const test of module.children.allTests()) {
        const meta = /** @type {{ wide?: Wide[], compared?: number }} */ (test.meta());
        compared += meta.compared ?? 0;
        for (const each of meta.wide ?? []) {
          wide++;
          const row = rows.get(each.because);
          if (!row) rows.set(each.because, { count: 1, widest: each });
          else {
            row.count++;
            if (each.width > row.widest.width) row.widest = each;
          }
        }
      }
    }
    if (compared === 0) return;
    console.log(`\n${compared} results compared by the formula for tolerances, ${wide} within more than 1e-5:`);
    for (const [because, { count, widest }] of [...rows].sort((a, b) => b[1].widest.width - a[1].widest.width)) {
      const where = `${String(count).padStart(5)}  ${widest.width.toExponential(1)}  since ${because.padEnd(26)}`;
      console.log(`${where}  widest: ${widest.name}`);
    }
  }
}
