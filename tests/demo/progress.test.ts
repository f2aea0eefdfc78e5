/** How far something long is. */

import { expect, test } from "vitest";
import { type HowFar, Progress } from "../../demo/progress";

function told(pieces: readonly (readonly [done: number, timeMs: number])[], count: number, everyMs?: number): HowFar[] {
  const heard: HowFar[] = [];
  let timeMs = 0;
  const progress = new Progress(
    (howFar) => heard.push(howFar),
    () => timeMs,
    everyMs,
  );
  for (const [done, at] of pieces) {
    timeMs = at;
    progress.at(done, count);
  }
  return heard;
}

test("the time left is that of the pieces after the first, which compiles", () => {
  expect(
    told(
      [
        [10, 9000],
        [20, 10_000],
        [50, 13_000],
      ],
      60,
    ),
  ).toEqual([
    { share: 1 / 6, secondsLeft: null },
    { share: 1 / 3, secondsLeft: 4 },
    { share: 5 / 6, secondsLeft: 1 },
  ]);
});

test("tells four times a second, and of the end", () => {
  const pieces = Array.from({ length: 100 }, (_, i) => [i + 1, 10 * i] as const);
  const heard = told(pieces, 100);
  expect(heard.map(({ share }) => Math.round(100 * share))).toEqual([1, 26, 51, 76, 100]);
  expect(heard.at(-1)).toEqual({ share: 1, secondsLeft: 0 });
});

test("tells as often as it is asked to", () => {
  const pieces = Array.from({ length: 10 }, (_, i) => [i + 1, 10 * i] as const);
  expect(told(pieces, 100, 30).map(({ share }) => Math.round(100 * share))).toEqual([1, 4, 7, 10]);
});

test("of nothing is over", () => {
  expect(told([[0, 0]], 0)).toEqual([{ share: 1, secondsLeft: null }]);
});
