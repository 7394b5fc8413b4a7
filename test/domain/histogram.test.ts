import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { bucketMs, bucketOf, LAST_BUCKET, percentileMs } from '../../src/domain/histogram.ts';

const histogramOf = (values: readonly number[]): Map<number, number> => {
  const counts = new Map<number, number>();
  for (const value of values) counts.set(bucketOf(value), (counts.get(bucketOf(value)) ?? 0) + 1);
  return counts;
};

describe('a histogram of durations', () => {
  it('stands for each duration up to 12 days by one that is within 10 % of it, to the ms', () => {
    fc.assert(
      fc.property(fc.double({ min: 1, max: 2 ** 29, noNaN: true }), (ms) => {
        expect(Math.abs(bucketMs(bucketOf(ms)) - ms)).toBeLessThanOrEqual(ms * 0.1 + 0.5);
      }),
    );
  });

  it('keeps the order of durations, and ends with what is longer than all', () => {
    fc.assert(
      fc.property(
        fc.double({ min: 0, max: 1e12, noNaN: true }),
        fc.double({ min: 0, max: 1e12, noNaN: true }),
        (a, b) => {
          const [low, high] = [Math.min(a, b), Math.max(a, b)];
          expect(bucketOf(low)).toBeLessThanOrEqual(bucketOf(high));
          expect(bucketOf(high)).toBeLessThanOrEqual(LAST_BUCKET);
        },
      ),
    );
  });

  it('gives percentiles as near to the true ones', () => {
    const values = Array.from({ length: 1_000 }, (_, index) => index + 1);
    const histogram = histogramOf(values);
    for (const [share, exact] of [
      [0.5, 500],
      [0.95, 950],
      [0.99, 990],
    ] as const) {
      expect(Math.abs((percentileMs(histogram, share) ?? 0) - exact)).toBeLessThanOrEqual(exact * 0.1);
    }
  });

  it('of nothing has no percentile, and of instants the percentile 0', () => {
    expect(percentileMs(new Map(), 0.5)).toBeNull();
    expect(percentileMs(histogramOf([0, 0.2]), 0.99)).toBe(0);
  });
});
