/** Numbers as the page shows them. */

import { expect, test } from "vitest";
import { threeDigits } from "../../demo/numbers";

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
