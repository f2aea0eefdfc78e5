/** Numbers about samples: medians and quartiles, ratios, spread. Pure functions. */

/** What a list of samples is reduced to. */
export interface Summary {
  readonly min: number;
  readonly q1: number;
  readonly median: number;
  readonly q3: number;
  readonly max: number;
  readonly count: number;
}

/** The value below which a share `q` of the samples lies, between two of them by their distance (numpy's "linear"). */
export function quantile(samples: readonly number[], q: number): number {
  const sorted = [...samples].sort((a, b) => a - b);
  const place = q * (sorted.length - 1);
  const below = Math.floor(place);
  const low = sorted[below] ?? NaN;
  const high = sorted[Math.ceil(place)] ?? NaN;
  return low + (high - low) * (place - below);
}

export const median = (samples: readonly number[]): number => quantile(samples, 0.5);

export const summarize = (samples: readonly number[]): Summary => ({
  min: quantile(samples, 0),
  q1: quantile(samples, 0.25),
  median: median(samples),
  q3: quantile(samples, 0.75),
  max: quantile(samples, 1),
  count: samples.length,
});

/**
 * Median of `samples[i] / base[i]`: samples of one round share its weather, so the ratio drifts less than its parts.
 * Rounds that one of the two sat out do not count.
 */
export const pairedRatio = (samples: readonly (number | null)[], base: readonly (number | null)[]): number =>
  median(
    samples.flatMap((value, round) => {
      const other = base[round] ?? null;
      return value === null || other === null ? [] : [value / other];
    }),
  );

/** How far samples lie apart, as a share of their median. */
export const drift = (samples: readonly number[]): number =>
  (quantile(samples, 1) - quantile(samples, 0)) / median(samples);
