import { expect, test } from 'vitest';
import { describeTiming } from '../../../src/services/schedules/describe-timing.ts';

test.each([
  ['30 2 * * *', 'Every day at 02:30'],
  ['0 9,17 * * *', 'Every day at 09:00 and 17:00'],
  ['0 6 * * 1-5', 'Monday to Friday at 06:00'],
  ['0 6 * * MON-FRI', 'Monday to Friday at 06:00'],
  ['15 7 * * 1', 'Every Monday at 07:15'],
  ['15 7 * * sat,0', 'Every Saturday and Sunday at 07:15'],
  ['15 7 * * 7', 'Every Sunday at 07:15'],
  ['0 0 1 * *', 'On day 1 of every month at 00:00'],
  ['0 0 1,15 * *', 'On days 1 and 15 of every month at 00:00'],
  ['0 0 L * *', 'On the last day of every month at 00:00'],
  ['0 0 24 12 *', 'On day 24 in December at 00:00'],
  ['0 8 * 6,jul *', 'Every day in June and July at 08:00'],
  ['0 * * * *', 'Every hour'],
  ['5 * * * *', 'Every hour at minute 5'],
  ['* * * * *', 'Every minute'],
  ['*/15 * * * *', 'Every 15 minutes'],
  ['0 */6 * * *', 'Every 6 hours'],
  ['30 */1 * * *', 'Every hour at minute 30'],
  ['@daily', 'Every day at 00:00'],
  ['@hourly', 'Every hour'],
  // Not every 7 minutes: the hour has 60.
  ['*/7 * * * *', 'At */7 * * * *'],
  ['0 9 * * 1#2', 'At 0 9 * * 1#2'],
  ['0 9 1 * 1', 'At 0 9 1 * 1'],
  ['*/5 9-17 * * *', 'At */5 9-17 * * *'],
])('%s is "%s"', (expression, words) => {
  expect(describeTiming({ type: 'cron', expression, timeZone: 'Europe/Berlin' })).toBe(
    `${words}, Europe/Berlin`,
  );
});

test.each([
  [10, 'Every 10 seconds'],
  [60, 'Every minute'],
  [5_400, 'Every 90 minutes'],
  [86_400, 'Every day'],
  [172_800, 'Every 2 days'],
])('every %i seconds is "%s"', (seconds, words) => {
  expect(describeTiming({ type: 'every', seconds, anchor: new Date(0) })).toBe(words);
});

test('a single run names its moment', () => {
  expect(describeTiming({ type: 'once', at: new Date('2026-12-24T18:00:00Z') })).toBe(
    'Once, 2026-12-24 18:00 UTC',
  );
});
