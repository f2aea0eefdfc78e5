/** The labelled images that kNN asks: how many, and in words. */

/** They are the first of the training images. */
export const BANK_SIZE = 10_000;

const NEIGHBOURS = 200;

/** How many of them each test image asks. */
export const neighbourCount = (bankSize: number): number => Math.min(NEIGHBOURS, bankSize);

/** Whom a test image asks: `200 nearest training images`. */
export function neighbourWords(trainCount: number): string {
  const ofFirst = trainCount > BANK_SIZE ? `of the first ${BANK_SIZE.toLocaleString("en")} ` : "";
  return `${neighbourCount(trainCount)} nearest ${ofFirst}training images`;
}
