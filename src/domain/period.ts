import { z } from 'zod';
import { UserFacingError } from './errors.ts';

/** The longest period, in days: two years, one of them a leap year. */
export const PERIOD_DAYS_MAX = 731;
export const PERIOD_DAYS_DEFAULT = 30;

export const PERIOD_PRESETS = [
  'TODAY',
  'YESTERDAY',
  'LAST_7_DAYS',
  'LAST_30_DAYS',
  'LAST_90_DAYS',
  'THIS_MONTH',
  'LAST_MONTH',
  'THIS_YEAR',
] as const;
export type PeriodPreset = (typeof PERIOD_PRESETS)[number];

/** Which days somebody asks for: exactly one of them. */
export type PeriodInput =
  | { readonly days: number }
  | { readonly range: { readonly from: string; readonly to: string } }
  | { readonly preset: PeriodPreset };

const day = z.string().refine(isDate, { error: 'expected a date as YYYY-MM-DD' });

/** The days that somebody asks for, within a job's input: resolved when the job runs, by `resolvePeriod`. */
export const periodInput = z
  .union([
    z.strictObject({ days: z.int().min(1).max(PERIOD_DAYS_MAX) }),
    z.strictObject({
      range: z
        .strictObject({ from: day, to: day })
        .refine((range) => range.from <= range.to, {
          error: 'expected a day not before `from`',
          path: ['to'],
        })
        .refine((range) => countDays(range) <= PERIOD_DAYS_MAX, {
          error: `expected at most ${PERIOD_DAYS_MAX} days`,
        }),
    }),
    z.strictObject({ preset: z.enum(PERIOD_PRESETS) }),
  ])
  .meta({ id: 'PeriodInput' });

/** Whole days of a time zone's calendar, both ends included, as YYYY-MM-DD. */
export interface Period {
  readonly from: string;
  readonly to: string;
}

export interface PeriodContext {
  /** IANA name */
  readonly timeZone: string;
  readonly now: Date;
}

/**
 * Days are counted on the calendar, never in hours, so a day of 23 or 25 hours is a day. `days`, LAST_… and the
 * default include today; THIS_MONTH and THIS_YEAR end today.
 * @param path where the input stands among the caller's arguments; errors name the field below it
 * @throws UserFacingError INVALID for a period that is none, or longer than PERIOD_DAYS_MAX
 */
export function resolvePeriod(
  input: PeriodInput | null | undefined,
  { timeZone, now }: PeriodContext,
  path: readonly string[] = ['period'],
): Period {
  const today = dateIn(timeZone, now);
  if (!input) return lastDays(PERIOD_DAYS_DEFAULT, today);
  if ('days' in input) return daysPeriod(input.days, today, [...path, 'days']);
  if ('range' in input) return rangePeriod(input.range, [...path, 'range']);
  return presetPeriod(input.preset, today);
}

/** The calendar date of a moment in a time zone. @throws RangeError for an unknown zone */
export function dateIn(timeZone: string, moment: Date): string {
  const parts = new Intl.DateTimeFormat('en-US', {
    timeZone,
    calendar: 'iso8601',
    numberingSystem: 'latn',
    year: 'numeric',
    month: '2-digit',
    day: '2-digit',
  }).formatToParts(moment);
  const part = (type: 'year' | 'month' | 'day'): string =>
    parts.find((found) => found.type === type)?.value ?? '';
  return `${part('year').padStart(4, '0')}-${part('month')}-${part('day')}`;
}

/** `days` later on the calendar, or earlier when negative. */
export function addDays(date: string, days: number): string {
  return toDate(dayNumber(date) + days);
}

/** How many days a period has; 1 for a single day. */
export function countDays({ from, to }: Period): number {
  return dayNumber(to) - dayNumber(from) + 1;
}

/** Each day of a period, oldest first. */
export function daysOf(period: Period): string[] {
  const first = dayNumber(period.from);
  return Array.from({ length: countDays(period) }, (_, index) => toDate(first + index));
}

/** Whether a text is a day that the calendar has, as YYYY-MM-DD, from year 1 to 9999. */
export function isDate(text: string): boolean {
  return /^\d{4}-\d{2}-\d{2}$/.test(text) && !text.startsWith('0000') && toDate(dayNumber(text)) === text;
}

/** Whether a text names an IANA time zone. Offsets such as "+02:00" are none: they know no summer time. */
export function isTimeZone(text: string): boolean {
  if (!/^[A-Za-z]/.test(text)) return false;
  try {
    new Intl.DateTimeFormat('en-US', { timeZone: text });
    return true;
  } catch {
    return false;
  }
}

function daysPeriod(days: number, today: string, path: readonly string[]): Period {
  if (Number.isInteger(days) && days >= 1 && days <= PERIOD_DAYS_MAX) return lastDays(days, today);
  throw invalid(path, `expected 1 to ${PERIOD_DAYS_MAX} days, got ${days}`);
}

function rangePeriod({ from, to }: Period, path: readonly string[]): Period {
  for (const [name, value] of Object.entries({ from, to })) {
    if (!isDate(value)) throw invalid([...path, name], `expected a date as YYYY-MM-DD, got ${quote(value)}`);
  }
  const days = countDays({ from, to });
  if (days < 1) throw invalid([...path, 'to'], `expected a day not before ${from}, got ${to}`);
  if (days > PERIOD_DAYS_MAX) {
    throw invalid(path, `expected at most ${PERIOD_DAYS_MAX} days, got ${days} (${from} to ${to})`);
  }
  return { from, to };
}

function presetPeriod(preset: PeriodPreset, today: string): Period {
  switch (preset) {
    case 'TODAY':
      return lastDays(1, today);
    case 'YESTERDAY':
      return lastDays(1, addDays(today, -1));
    case 'LAST_7_DAYS':
      return lastDays(7, today);
    case 'LAST_30_DAYS':
      return lastDays(30, today);
    case 'LAST_90_DAYS':
      return lastDays(90, today);
    case 'THIS_MONTH':
      return { from: firstOfMonth(today), to: today };
    case 'LAST_MONTH':
      return lastMonth(today);
    case 'THIS_YEAR':
      return { from: `${today.slice(0, 4)}-01-01`, to: today };
  }
}

function lastDays(days: number, today: string): Period {
  return { from: addDays(today, 1 - days), to: today };
}

function lastMonth(today: string): Period {
  const to = addDays(firstOfMonth(today), -1);
  return { from: firstOfMonth(to), to };
}

function firstOfMonth(date: string): string {
  return `${date.slice(0, 7)}-01`;
}

const DAY_MS = 86_400_000;

/** Days since 1970-01-01; UTC has no summer time, so each is 86,400 s long. NaN for a month or day beyond any. */
function dayNumber(date: string): number {
  return Date.parse(`${date}T00:00:00Z`) / DAY_MS;
}

function toDate(dayNumber: number): string {
  return Number.isNaN(dayNumber) ? '' : new Date(dayNumber * DAY_MS).toISOString().slice(0, 10);
}

function invalid(path: readonly string[], expectation: string): UserFacingError {
  return UserFacingError.of('INVALID', path, expectation);
}

function quote(text: string): string {
  return JSON.stringify(text.slice(0, 40));
}
