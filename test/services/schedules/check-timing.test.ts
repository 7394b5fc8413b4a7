import { describe, expect, it } from 'vitest';
import { UserFacingError } from '../../../src/domain/errors.ts';
import type { ScheduleTimingRequest } from '../../../src/domain/schedule.ts';
import { checkTiming, isSameTiming } from '../../../src/services/schedules/check-timing.ts';

const now = new Date('2026-05-01T12:00:00Z');
const check = (request: ScheduleTimingRequest) => checkTiming(request, now, ['input', 'timing']);
const errorsOf = (request: ScheduleTimingRequest) => {
  try {
    check(request);
    return [];
  } catch (error) {
    if (error instanceof UserFacingError) return error.errors;
    throw error;
  }
};
const cron = (expression: string, timeZone = 'Europe/Berlin') => ({ cron: { expression, timeZone } });

describe('a timing that is asked for', () => {
  it.each([
    '30 2 * * *',
    '*/15 8-18 * * MON-FRI',
    '0 0 L * *',
    '0 9 * * 1#2',
    '@daily',
    ' 0 0 1 1 * ',
    '0 0 29 2 *',
  ])('may be the expression %j', (expression) => {
    expect(check(cron(expression))).toEqual({
      type: 'cron',
      expression: expression.trim(),
      timeZone: 'Europe/Berlin',
    });
  });

  it.each([
    ['', 'five fields'],
    ['0 0 * *', 'five fields'],
    ['*/5 * * * * *', 'seconds and years are not taken'],
    ['0 0 * * * 2030', 'seconds and years are not taken'],
    ['61 0 * * *', 'minute'],
    ['0 24 * * *', 'hour'],
    ['0 0 31 2 *', 'got none'],
    ['0 0 30 2 *', 'got none'],
    ['@reboot', 'five fields'],
    ['2030-01-01T00:00:00', 'five fields'],
    ['a b c d e', 'illegal'],
    [`0 0 * * ${'1,'.repeat(200)}1`, 'at most 200 characters'],
  ])('is refused as the expression %j, with the reason', (expression, reason) => {
    const [error, ...more] = errorsOf(cron(expression));
    expect(more).toEqual([]);
    expect(error).toMatchObject({ code: 'INVALID', field: ['input', 'timing', 'cron', 'expression'] });
    expect(error?.message).toContain(reason);
  });

  it.each(['Mars/Olympus', '+02:00', '', 'UTC+2'])('is refused in the zone %j', (timeZone) => {
    expect(errorsOf(cron('0 0 * * *', timeZone))).toMatchObject([
      { code: 'INVALID', field: ['input', 'timing', 'cron', 'timeZone'] },
    ]);
  });

  it.each([9, 0, -60, 10.5, 31_622_401])('is refused as every %d seconds', (seconds) => {
    expect(errorsOf({ every: { seconds } })).toMatchObject([
      { code: 'INVALID', field: ['input', 'timing', 'every', 'seconds'] },
    ]);
  });

  it('counts every so many seconds from now', () => {
    expect(check({ every: { seconds: 10 } })).toEqual({ type: 'every', seconds: 10, anchor: now });
  });

  it('is refused as a moment that is not to come', () => {
    expect(errorsOf({ once: { at: now } })).toMatchObject([
      { code: 'INVALID', field: ['input', 'timing', 'once', 'at'] },
    ]);
    expect(errorsOf({ once: { at: new Date(now.getTime() + 1) } })).toEqual([]);
  });
});

describe('a timing that a form sends back', () => {
  it.each<ScheduleTimingRequest>([
    cron('30 2 * * *'),
    { every: { seconds: 60 } },
    { once: { at: new Date('2026-06-01T00:00:00Z') } },
  ])('is known as the same: %j', (request) => {
    expect(isSameTiming(check(request), request)).toBe(true);
  });

  it('is another one where anything of it differs', () => {
    expect(isSameTiming(check(cron('30 2 * * *')), cron('30 2 * * *', 'UTC'))).toBe(false);
    expect(isSameTiming(check({ every: { seconds: 60 } }), { every: { seconds: 61 } })).toBe(false);
    expect(isSameTiming(check({ every: { seconds: 60 } }), cron('* * * * *'))).toBe(false);
  });
});
