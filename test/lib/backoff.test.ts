import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { backoffMs } from '../../src/lib/backoff.ts';

const policies = fc.record({
  baseMs: fc.integer({ min: 1, max: 60_000 }),
  maxMs: fc.integer({ min: 60_000, max: 3_600_000 }),
  jitter: fc.double({ min: 0, max: 1, noNaN: true }),
});

describe('backoff', () => {
  it('is never negative and never above the cap', () => {
    fc.assert(
      fc.property(
        policies,
        fc.integer({ min: 1, max: 1_000 }),
        fc.double({ min: 0, max: 0.999, noNaN: true }),
        (policy, attempt, chance) => {
          const delayMs = backoffMs(policy, attempt, () => chance);
          expect(delayMs).toBeGreaterThanOrEqual(0);
          expect(delayMs).toBeLessThanOrEqual(policy.maxMs);
        },
      ),
    );
  });

  it('doubles from attempt to attempt until the cap', () => {
    const delays = [1, 2, 3, 4, 5].map((attempt) =>
      backoffMs({ baseMs: 100, maxMs: 1_000, jitter: 0 }, attempt),
    );
    expect(delays).toEqual([100, 200, 400, 800, 1_000]);
  });

  it('spreads by the jitter around the delay', () => {
    const policy = { baseMs: 1_000, maxMs: 10_000, jitter: 0.5 };
    expect(backoffMs(policy, 1, () => 0)).toBe(750);
    expect(backoffMs(policy, 1, () => 0.999_999)).toBe(1_250);
  });
});
