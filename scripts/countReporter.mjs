// @ts-check
/**
 * A vitest reporter that only counts: writes { passed, failed } to the file named by $FLYWHEEL_TEST_COUNTS.
 * A test file that does not load, or an error outside of any test, counts as one failure. Skipped tests are failures too:
 * a suite that quietly ran less is the worst outcome.
 */
import { writeFileSync } from "node:fs";

export default class CountReporter {
  /**
   * @param {readonly import("vitest/node").TestModule[]} modules
   * @param {readonly unknown[]} unhandledErrors
   */
  onTestRunEnd(modules, unhandledErrors) {
    const path = process.env["FLYWHEEL_TEST_COUNTS"];
    if (!path) return;
    let passed = 0;
    let failed = unhandledErrors.length;
    for (const module of modules) {
      let failedHere = 0;
      for (const test of module.children.allTests()) {
        if (test.result().state === "passed") passed++;
        else failedHere++;
      }
      failed += failedHere;
      if (!module.ok() && failedHere === 0) failed++;
    }
    writeFileSync(path, JSON.stringify({ passed, failed }));
  }
}
