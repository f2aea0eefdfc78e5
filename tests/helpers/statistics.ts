/** Tests of distributions. Seeds are fixed, so each either fails always or never: thresholds leave one honest draw in a thousand outside. */

/** The value that a normal number exceeds once in a thousand times. */
const Z = 3.09;

/** Pearson's statistic over its critical value: below 1 where counts agree with probabilities. */
export function chiSquare(counts: readonly number[], probabilities: readonly number[]): number {
  const total = counts.reduce((a, b) => a + b, 0);
  const statistic = counts.reduce(
    (sum, count, i) => sum + (count - total * probabilities[i]!) ** 2 / (total * probabilities[i]!),
    0,
  );
  const degrees = counts.length - 1;
  const critical = degrees * (1 - 2 / (9 * degrees) + Z * Math.sqrt(2 / (9 * degrees))) ** 3; // Wilson and Hilferty
  return statistic / critical;
}

/** Kolmogorov's statistic over its critical value: below 1 where numbers agree with a distribution function. */
export function kolmogorov(values: ArrayLike<number>, distribution: (x: number) => number): number {
  const sorted = Float64Array.from(values).sort();
  const n = sorted.length;
  const distance = sorted.reduce((most, x, i) => {
    const expected = distribution(x);
    return Math.max(most, (i + 1) / n - expected, expected - i / n);
  }, 0);
  return (distance * Math.sqrt(n)) / 1.95;
}

/** How often each of `0 ... classes - 1` is there. */
export function countsOf(values: ArrayLike<number>, classes: number): number[] {
  const counts = new Array<number>(classes).fill(0);
  for (const value of Array.from(values)) counts[value]!++;
  return counts;
}

/** Of the standard normal distribution, by the series of erf. */
export function normalDistribution(x: number): number {
  let term = x;
  let sum = x;
  for (let k = 1; k < 200; k++) {
    term *= (-x * x) / (2 * k);
    sum += term / (2 * k + 1);
  }
  return 0.5 + Math.max(-0.5, Math.min(0.5, sum / Math.sqrt(2 * Math.PI)));
}
