/** Numbers as the page shows them. */

/** Three digits, however large or small: `1230`, `30.0`, `0.00123`. */
export const threeDigits = (value: number): string =>
  value.toLocaleString("en", { minimumSignificantDigits: 3, maximumSignificantDigits: 3, useGrouping: false });
