import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { UserFacingError } from '../../src/domain/errors.ts';
import {
  addDays,
  countDays,
  dateIn,
  daysOf,
  isDate,
  isTimeZone,
  PERIOD_PRESETS,
  resolvePeriod,
} from '../../src/domain/period.ts';
import type { PeriodInput } from '../../src/domain/period.ts';

/** Zones with whole, half and quarter hours, either hemisphere, changes at midnight, and both ends of the date line. */
const ZONES = [
  'UTC',
  'Europe/Berlin',
  'America/New_York',
  'America/Havana',
  'America/Sao_Paulo',
  'America/St_Johns',
  'Africa/Cairo',
  'Asia/Kathmandu',
  'Australia/Lord_Howe',
  'Pacific/Chatham',
  'Pacific/Apia',
  'Pacific/Kiritimati',
  'Pacific/Pago_Pago',
];

const zone = fc.constantFrom(...ZONES);
const moment = fc.date({
  min: new Date('2010-01-01T00:00:00Z'),
  max: new Date('2037-12-31T23:59:59Z'),
  noInvalidDate: true,
});

/** Moments within three days around a change of the clocks, or of the date line, in one of the zones. */
const nearChange = fc
  .tuple(
    fc.constantFrom(
      '2026-03-29T01:00:00Z',
      '2026-10-25T01:00:00Z',
      '2026-03-08T05:00:00Z',
      '2026-11-01T05:00:00Z',
      '2018-11-04T03:00:00Z',
      '2026-04-23T22:00:00Z',
      '2011-12-30T10:00:00Z',
      '2026-04-04T15:00:00Z',
    ),
    fc.integer({ min: -36 * 60, max: 36 * 60 }),
  )
  .map(([change, minutes]) => new Date(Date.parse(change) + minutes * 60_000));

/** The date by the zone's offset from UTC, which Intl tells by another way than the date itself. */
function dateByOffset(timeZone: string, at: Date): string {
  const parts = new Intl.DateTimeFormat('en-US', { timeZone, timeZoneName: 'longOffset' }).formatToParts(at);
  const name = parts.find((part) => part.type === 'timeZoneName')?.value ?? '';
  const [, sign = '+', hours = '0', minutes = '0'] = /GMT([+-])(\d+):(\d+)/.exec(name) ?? [];
  const offsetMs = (sign === '-' ? -1 : 1) * (Number(hours) * 60 + Number(minutes)) * 60_000;
  return new Date(at.getTime() + offsetMs).toISOString().slice(0, 10);
}

function periodAt(input: PeriodInput | null, now: string, timeZone = 'Europe/Berlin') {
  return resolvePeriod(input, { timeZone, now: new Date(now) });
}

/** Field and message of the mistake that `input` is. */
function mistakeIn(input: PeriodInput) {
  try {
    periodAt(input, '2026-06-15T12:00:00Z');
  } catch (error) {
    if (error instanceof UserFacingError) return error.errors;
  }
  throw new Error('expected a UserFacingError');
}

describe('today', () => {
  test('is the date on the wall of the time zone, also around changes of the clocks', () => {
    fc.assert(
      fc.property(zone, fc.oneof(moment, nearChange), (timeZone, now) => {
        expect(dateIn(timeZone, now)).toBe(dateByOffset(timeZone, now));
      }),
      { numRuns: 1_000 },
    );
  });

  test('turns at local midnight, not at UTC midnight', () => {
    expect(dateIn('Europe/Berlin', new Date('2026-06-30T21:59:59Z'))).toBe('2026-06-30');
    expect(dateIn('Europe/Berlin', new Date('2026-06-30T22:00:00Z'))).toBe('2026-07-01');
    expect(dateIn('Pacific/Kiritimati', new Date('2026-12-31T10:00:00Z'))).toBe('2027-01-01');
    expect(dateIn('Pacific/Pago_Pago', new Date('2027-01-01T10:59:00Z'))).toBe('2026-12-31');
  });

  test('jumps over the day that Samoa left out', () => {
    expect(dateIn('Pacific/Apia', new Date('2011-12-30T09:59:00Z'))).toBe('2011-12-29');
    expect(dateIn('Pacific/Apia', new Date('2011-12-30T10:00:00Z'))).toBe('2011-12-31');
  });
});

describe('a period in days', () => {
  test('has just as many days and ends today, whatever the clocks did between', () => {
    fc.assert(
      fc.property(
        zone,
        fc.oneof(moment, nearChange),
        fc.integer({ min: 1, max: 731 }),
        (timeZone, now, days) => {
          const period = resolvePeriod({ days }, { timeZone, now });
          expect(period.to).toBe(dateIn(timeZone, now));
          expect(countDays(period)).toBe(days);
          expect(new Set(daysOf(period)).size).toBe(days);
        },
      ),
    );
  });

  test('begins the day before on the late evening of the 25-hour day', () => {
    expect(periodAt({ days: 2 }, '2026-10-25T22:30:00Z')).toEqual({ from: '2026-10-24', to: '2026-10-25' });
  });

  test('is 30 days, today included, by default', () => {
    expect(periodAt(null, '2026-03-30T22:00:00Z')).toEqual({ from: '2026-03-02', to: '2026-03-31' });
  });
});

describe('a preset', () => {
  test.each([
    ['TODAY', '2026-03-01', '2026-03-01'],
    ['YESTERDAY', '2026-02-28', '2026-02-28'],
    ['LAST_7_DAYS', '2026-02-23', '2026-03-01'],
    ['LAST_30_DAYS', '2026-01-31', '2026-03-01'],
    ['LAST_90_DAYS', '2025-12-02', '2026-03-01'],
    ['THIS_MONTH', '2026-03-01', '2026-03-01'],
    ['LAST_MONTH', '2026-02-01', '2026-02-28'],
    ['THIS_YEAR', '2026-01-01', '2026-03-01'],
  ] as const)('%s on 1 March 2026 is %s to %s', (preset, from, to) => {
    expect(periodAt({ preset }, '2026-02-28T23:00:00Z')).toEqual({ from, to });
  });

  test('LAST_MONTH reaches over the turn of the year', () => {
    expect(periodAt({ preset: 'LAST_MONTH' }, '2027-01-31T12:00:00Z')).toEqual({
      from: '2026-12-01',
      to: '2026-12-31',
    });
  });

  test('never ends after today and never before it begins', () => {
    fc.assert(
      fc.property(zone, moment, fc.constantFrom(...PERIOD_PRESETS), (timeZone, now, preset) => {
        const { from, to } = resolvePeriod({ preset }, { timeZone, now });
        expect(from <= to && to <= dateIn(timeZone, now)).toBe(true);
      }),
    );
  });
});

describe('a range', () => {
  test('is taken as it is, both days included', () => {
    const range = { from: '2024-02-28', to: '2024-03-01' };
    expect(periodAt({ range }, '2026-06-15T12:00:00Z')).toEqual(range);
    expect(daysOf(range)).toEqual(['2024-02-28', '2024-02-29', '2024-03-01']);
  });

  test('may be 731 days long: two years, one of them a leap year', () => {
    const range = { from: '2023-03-01', to: '2025-02-28' };
    expect(countDays(periodAt({ range }, '2026-06-15T12:00:00Z'))).toBe(731);
  });
});

describe('a period that is none', () => {
  test.each([0, -1, 732, 1.5, Number.NaN])('%s days is refused, naming the field', (days) => {
    expect(mistakeIn({ days })).toEqual([
      { code: 'INVALID', field: ['period', 'days'], message: `expected 1 to 731 days, got ${days}` },
    ]);
  });

  test.each([
    [{ from: '2026-02-30', to: '2026-03-01' }, 'from', 'expected a date as YYYY-MM-DD, got "2026-02-30"'],
    [{ from: '2026-03-01', to: '01.04.2026' }, 'to', 'expected a date as YYYY-MM-DD, got "01.04.2026"'],
    [{ from: '2026-03-02', to: '2026-03-01' }, 'to', 'expected a day not before 2026-03-02, got 2026-03-01'],
  ])('the range %o is refused at %s', (range, name, message) => {
    expect(mistakeIn({ range })).toEqual([{ code: 'INVALID', field: ['period', 'range', name], message }]);
  });

  test('a range of 732 days is refused as a whole', () => {
    expect(mistakeIn({ range: { from: '2023-03-01', to: '2025-03-01' } })).toEqual([
      {
        code: 'INVALID',
        field: ['period', 'range'],
        message: 'expected at most 731 days, got 732 (2023-03-01 to 2025-03-01)',
      },
    ]);
  });
});

describe('dates and zones', () => {
  test('adding days and taking them away again leads back', () => {
    fc.assert(
      fc.property(moment, fc.integer({ min: -1_000, max: 1_000 }), (at, days) => {
        const date = at.toISOString().slice(0, 10);
        expect(addDays(addDays(date, days), -days)).toBe(date);
      }),
    );
  });

  test.each(['0000-01-01', '2026-13-01', '2026-00-10', '2025-02-29', '2026-1-1', '2026-01-01T00:00:00Z', ''])(
    '"%s" is no date',
    (text) => expect(isDate(text)).toBe(false),
  );

  test('an offset or an invented name is no time zone', () => {
    expect(ZONES.filter((name) => !isTimeZone(name))).toEqual([]);
    expect(['+02:00', 'Mars/Olympus', '', '-05'].filter(isTimeZone)).toEqual([]);
  });
});
