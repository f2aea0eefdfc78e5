/** Numbers as the page shows them. */

import { expect, test } from "vitest";
import { duration, threeDigits, timeLeft } from "../../demo/numbers";

test.each([
  [0.00001234, "0.0000123"],
  [0.03, "0.0300"],
  [30, "30.0"],
  [999.6, "1000"],
  [1234.5, "1230"],
  [65_536, "65500"],
])("%d has three digits and no exponent", (value, text) => {
  expect(threeDigits(value)).toBe(text);
});

test.each([
  [0, "0 s"],
  [0.2, "1 s"],
  [99, "99 s"],
  [99.5, "2 min"],
  [5900, "98 min"],
  [6000, "1.7 h"],
])("%d seconds are one number and its unit", (seconds, text) => {
  expect(duration(seconds)).toBe(text);
});

test("the time left follows what is told, once it is known", () => {
  expect([timeLeft(null), timeLeft(61.2)]).toEqual(["", ", about 62 s left"]);
});
