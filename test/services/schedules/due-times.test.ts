import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { dateIn } from '../../../src/domain/period.ts';
import type { ScheduleTiming } from '../../../src/domain/schedule.ts';
import { dueTimesFrom, latestDueTime, nextDueTime } from '../../../src/services/schedules/due-times.ts';

const cron = (expression: string, timeZone: string): ScheduleTiming => ({
  type: 'cron',
  expression,
  timeZone,
});

/** Due times of a zone's calendar days, as that zone's clock shows them. */
function timesOn(timing: ScheduleTiming & { timeZone: string }, days: readonly string[]): string[] {
  const [firstDay = ''] = days;
  const lastDay = days.at(-1) ?? '';
  const times: Date[] = [];
  let next = nextDueTime(timing, new Date(Date.parse(firstDay) - 86_400_000));
  while (next && dateIn(timing.timeZone, next) <= lastDay) {
    times.push(next);
    next = nextDueTime(timing, next);
  }
  return times
    .filter((time) => days.includes(dateIn(timing.timeZone, time)))
    .map((time) => clock(timing.timeZone, time));
}

function clock(timeZone: string, moment: Date): string {
  return new Intl.DateTimeFormat('sv-SE', {
    timeZone,
    dateStyle: 'short',
    timeStyle: 'short',
  }).format(moment);
}

const berlin = (expression: string) => ({
  type: 'cron' as const,
  expression,
  timeZone: 'Europe/Berlin',
});

describe('across a change of the clock', () => {
  it('a daily 02:30 runs once on the day that has none: at 03:00, when the gap ends', () => {
    expect(timesOn(berlin('30 2 * * *'), ['2026-03-28', '2026-03-29', '2026-03-30'])).toEqual([
      '2026-03-28 02:30',
      '2026-03-29 03:00',
      '2026-03-30 02:30',
    ]);
  });

  it('a daily 02:30 runs once on the day that has two: at the first', () => {
    expect(timesOn(berlin('30 2 * * *'), ['2026-10-24', '2026-10-25', '2026-10-26'])).toEqual([
      '2026-10-24 02:30',
      '2026-10-25 02:30',
      '2026-10-26 02:30',
    ]);
    expect(nextDueTime(berlin('30 2 * * *'), new Date('2026-10-24T12:00:00Z'))).toEqual(
      new Date('2026-10-25T00:30:00Z'),
    );
  });

  it.each([
    ['2026-03-29', 23],
    ['2026-10-25', 25],
    ['2026-06-01', 24],
  ])('an hourly schedule runs on %s as often as the day has hours: %i', (day, hours) => {
    expect(timesOn(berlin('0 * * * *'), [day])).toHaveLength(hours);
  });

  it.each([
    ['America/Havana', ['2026-03-07', '2026-03-08', '2026-03-09'], '2026-03-08 01:00'],
    ['America/Sao_Paulo', ['2018-11-03', '2018-11-04', '2018-11-05'], '2018-11-04 01:00'],
  ])('a daily midnight in %s is not lost where the day begins at 01:00', (timeZone, days, shifted) => {
    const times = timesOn({ type: 'cron', expression: '0 0 * * *', timeZone }, days);
    expect(times).toEqual([`${days[0]} 00:00`, shifted, `${days[2]} 00:00`]);
  });

  it('a list of hours loses none of its runs and doubles none', () => {
    expect(timesOn(berlin('30 2,14 * * *'), ['2026-03-29'])).toEqual([
      '2026-03-29 03:00',
      '2026-03-29 14:30',
    ]);
    expect(timesOn(berlin('0 2,3 * * *'), ['2026-03-29'])).toEqual(['2026-03-29 03:00']);
    expect(timesOn(berlin('30 2-3 * * *'), ['2026-10-25'])).toEqual(['2026-10-25 02:30', '2026-10-25 03:30']);
  });

  it('a day that a zone leaves out has no run', () => {
    const apia = { type: 'cron' as const, expression: '0 12 * * *', timeZone: 'Pacific/Apia' };
    expect(timesOn(apia, ['2011-12-29', '2011-12-30', '2011-12-31'])).toEqual([
      '2011-12-29 12:00',
      '2011-12-31 12:00',
    ]);
  });
});

const ZONES = ['UTC', 'Europe/Berlin', 'America/Havana', 'America/Sao_Paulo', 'Australia/Lord_Howe'];
const zone = fc.constantFrom(...ZONES);
const moment = fc.date({
  min: new Date('2015-01-01T00:00:00Z'),
  max: new Date('2035-01-01T00:00:00Z'),
  noInvalidDate: true,
});
const minute = fc.oneof(fc.constant('*'), fc.constantFrom('*/5', '*/20'), fc.nat(59).map(String));
const hour = fc.oneof(fc.constant('*'), fc.constantFrom('*/3', '1-3', '0,12'), fc.nat(23).map(String));
const anyCron = fc
  .tuple(minute, hour, fc.constantFrom('*', '1', '31', 'L'), fc.constantFrom('*', '1-5', 'sun'), zone)
  .map(([m, h, d, w, timeZone]) => cron(`${m} ${h} ${d} * ${w}`, timeZone));
const anyEvery = fc
  .tuple(fc.integer({ min: 10, max: 90_000 }), moment)
  .map(([seconds, anchor]): ScheduleTiming => ({ type: 'every', seconds, anchor }));
const anyTiming = fc.oneof(anyCron, anyEvery);

describe('due times', () => {
  it('are strictly increasing, whatever the timing', () => {
    fc.assert(
      fc.property(anyTiming, moment, (timing, from) => {
        const first = nextDueTime(timing, from);
        if (!first) return;
        expect(first > from).toBe(true);
        const times = dueTimesFrom(timing, first, 30);
        times.forEach((time, index) => {
          const before = times[index - 1];
          if (before && time <= before) throw new Error(`${time.toISOString()} follows itself`);
        });
      }),
      { numRuns: 300 },
    );
  });

  it('of a daily expression come once on each local day and never twice', () => {
    fc.assert(
      fc.property(fc.nat(59), fc.nat(23), zone, moment, (m, h, timeZone, from) => {
        const timing = cron(`${m} ${h} * * *`, timeZone);
        const first = nextDueTime(timing, from);
        const days = dueTimesFrom(timing, first ?? from, 400).map((time) => dateIn(timeZone, time));
        expect(new Set(days).size).toBe(400);
        const span = Date.parse(days.at(-1) ?? '') - Date.parse(days[0] ?? '');
        expect(span / 86_400_000).toBe(399);
      }),
      { numRuns: 20 },
    );
  });

  it('that were missed are one, the latest: what stepping forward would end at', () => {
    fc.assert(
      fc.property(anyTiming, moment, fc.nat(40), fc.nat(59_999), (timing, from, missed, laterMs) => {
        const due = nextDueTime(timing, from);
        if (!due) return;
        const times = dueTimesFrom(timing, due, missed + 1);
        const last = times.at(-1) ?? due;
        const following = nextDueTime(timing, last);
        const late = new Date(last.getTime() + laterMs);
        const now = following && late >= following ? last : late;
        expect(latestDueTime(timing, due, now)).toEqual(last);
      }),
      { numRuns: 300 },
    );
  });
});

describe('every so many seconds', () => {
  const anchor = new Date('2026-01-01T00:00:07.250Z');
  const timing: ScheduleTiming = { type: 'every', seconds: 90, anchor };

  it('is first due one step after it was made', () => {
    expect(nextDueTime(timing, anchor)).toEqual(new Date('2026-01-01T00:01:37.250Z'));
  });

  it('does not drift, however late a run is', () => {
    expect(nextDueTime(timing, new Date('2026-01-01T00:03:00.000Z'))).toEqual(
      new Date('2026-01-01T00:03:07.250Z'),
    );
  });

  it('is not due before its anchor by a clock that was set back', () => {
    expect(nextDueTime(timing, new Date('2025-06-01T00:00:00Z'))).toEqual(
      new Date('2026-01-01T00:01:37.250Z'),
    );
  });

  it('stands for the time it was due at, not for its anchor, when a clock went back between them', () => {
    const due = new Date('2025-12-31T23:59:00.000Z');
    expect(latestDueTime(timing, due, anchor)).toEqual(due);
  });
});

describe('a single run', () => {
  const timing: ScheduleTiming = { type: 'once', at: new Date('2026-01-01T12:00:00Z') };

  it('is due at its moment and never again', () => {
    expect(nextDueTime(timing, new Date('2026-01-01T11:59:59.999Z'))).toEqual(timing.at);
    expect(nextDueTime(timing, timing.at)).toBeNull();
    expect(latestDueTime(timing, timing.at, new Date('2027-01-01T00:00:00Z'))).toEqual(timing.at);
  });
});
