import { describe, expect, it } from 'vitest';
import { judgeAnswer, webhookDelayMs } from '../../src/notify/webhook-answer.ts';

const now = new Date('2026-11-24T12:00:00Z');

describe('an answer', () => {
  it.each([200, 201, 204, 299])('of %i has taken the webhook', (status) => {
    expect(judgeAnswer(status, undefined, now)).toEqual({ type: 'delivered' });
  });

  it.each([301, 400, 401, 404, 500, 503])('of %i has not, and it is tried again', (status) => {
    expect(judgeAnswer(status, undefined, now)).toMatchObject({ type: 'failed', retryAfterMs: null });
  });

  it('of 410 wants no more', () => {
    expect(judgeAnswer(410, undefined, now)).toMatchObject({ type: 'gone' });
  });

  it.each([
    ['120', 120_000],
    ['Tue, 24 Nov 2026 12:01:00 GMT', 60_000],
    ['Tue, 24 Nov 2026 11:00:00 GMT', 0],
    ['999999999', 86_400_000],
    ['soon', null],
  ])('says by Retry-After: %s when to come back, within a day', (header, retryAfterMs) => {
    expect(judgeAnswer(429, header, now)).toMatchObject({ retryAfterMs });
  });
});

describe('the schedule', () => {
  it('is the one of Standard Webhooks, and ends', () => {
    const delays = [1, 2, 3, 4, 5, 6, 7, 8].map((attempt) => webhookDelayMs(attempt, null, () => 0));
    expect(delays).toEqual([5_000, 300_000, 1_800_000, 7_200_000, 18_000_000, 36_000_000, 36_000_000, null]);
  });

  it('waits up to a tenth longer by chance, and as long as the endpoint wants', () => {
    expect(webhookDelayMs(1, null, () => 0.999)).toBeLessThanOrEqual(5_500);
    expect(webhookDelayMs(1, 60_000, () => 0)).toBe(60_000);
    expect(webhookDelayMs(2, 1_000, () => 0)).toBe(300_000);
  });
});
