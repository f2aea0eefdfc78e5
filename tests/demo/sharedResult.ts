/** A result such as another machine may share. */

import type { BenchResult } from "../../demo/benchmarks/result";

export const SHARED: BenchResult = {
  version: "0.1.0",
  date: "2026-03-04T05:06:00.000Z",
  adapter: "maker / some architecture / Some GPU 1234 (a long name of a driver)",
  isSoftware: false,
  browser: "Chrome 141 on Linux",
  cores: 8,
  rounds: 25,
  wasHidden: true,
  peak: 12_340,
  memory: 456.7,
  rows: [
    {
      ...{ id: "matmul512", q1: 0.05123, median: 0.05234, q3: 0.05456, share: 0.4156, gain: null },
      ...{ dispatches: 1, submits: 1, buffers: 0 },
    },
    {
      ...{ id: "softmax", q1: 0.07, median: 0.08, q3: 0.1, share: 0.918, gain: null },
      ...{ dispatches: 1, submits: 1, buffers: 0 },
    },
    {
      ...{ id: "sgdEma", q1: 0.7, median: 0.71, q3: 0.72, share: 0.97, gain: 1.62 },
      ...{ dispatches: 1, submits: 1, buffers: 0 },
    },
    {
      ...{ id: "mocoTinyFlat", q1: 3.1, median: 3.2, q3: 3.3, share: 0.019, gain: null },
      ...{ dispatches: 41, submits: 1, buffers: 0 },
    },
  ],
};
