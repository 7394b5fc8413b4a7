/**
 * Durations in buckets that grow by a fourth of an octave: a percentile read from them is within 10 % of the true one,
 * a count per bucket adds up over minutes and kinds, and 121 buckets reach from 1 ms to 12 days.
 */
export const BUCKETS_PER_OCTAVE = 4;
export const LAST_BUCKET = 120;

/** How many fell into each bucket. */
export type Histogram = ReadonlyMap<number, number>;

/** The bucket of a duration; the statement that fills the rollup says the same in SQL. */
export function bucketOf(ms: number): number {
  if (ms < 1) return 0;
  return Math.min(LAST_BUCKET, 1 + Math.floor(Math.log2(ms) * BUCKETS_PER_OCTAVE));
}

/** The duration that stands for a bucket: its middle, in whole ms. */
export function bucketMs(bucket: number): number {
  return bucket <= 0 ? 0 : Math.round(2 ** ((bucket - 0.5) / BUCKETS_PER_OCTAVE));
}

/** Smallest duration that at least `share` (0 to 1) of the values do not exceed; null without values. */
export function percentileMs(histogram: Histogram, share: number): number | null {
  const total = [...histogram.values()].reduce((sum, count) => sum + count, 0);
  if (total === 0) return null;
  let seen = 0;
  for (const [bucket, count] of [...histogram].sort(([a], [b]) => a - b)) {
    seen += count;
    if (seen >= share * total) return bucketMs(bucket);
  }
  return null;
}

/** All that fell into any of them. */
export function sumHistograms(parts: readonly Histogram[]): Histogram {
  const sum = new Map<number, number>();
  for (const part of parts)
    for (const [bucket, count] of part) sum.set(bucket, (sum.get(bucket) ?? 0) + count);
  return sum;
}
