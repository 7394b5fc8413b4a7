import { dateIn } from '../../domain/period.ts';
import { chance } from './chance.ts';

export const DAY_MS = 24 * 60 * 60_000;
const YEAR_DAYS = 365.25;
/** 2026-01-01: the business has its usual size then. */
const USUAL_DAY = 20_454;
/** It sells most around this day of the year: the middle of December. */
const PEAK_DAY = 348;
/** How busy a day of the week is, Sunday first. */
const WEEKDAYS = [1.15, 0.85, 0.8, 0.9, 0.95, 1.1, 1.25];

/** Days since 1970-01-01. */
export function dayNumber(day: string): number {
  return Date.parse(`${day}T00:00:00Z`) / DAY_MS;
}

/** 0 for Sunday. 1970-01-01 was a Thursday. */
export function weekdayOf(number: number): number {
  return (number + 4) % 7;
}

/** How large the business is on a day, around 1: it grows by a fifth a year, and before Christmas. */
export function level(number: number): number {
  const growth = Math.min(3, Math.max(0.3, 1 + (0.2 * (number - USUAL_DAY)) / YEAR_DAYS));
  return growth * (1 + 0.2 * Math.cos((2 * Math.PI * (number - USUAL_DAY - PEAK_DAY)) / YEAR_DAYS));
}

/** The same with the weekday and some luck. @param topic what has this luck: visits have another than sales */
export function busyness(number: number, topic: string): number {
  return level(number) * (WEEKDAYS[weekdayOf(number)] ?? 1) * (0.85 + 0.3 * chance(`${topic} ${number}`));
}

/** A moment of reading. */
export interface Moment {
  readonly now: Date;
  /** In the zone of the account */
  readonly today: string;
  /** How much of today's figures are there, 0 to 1: little happens at night */
  readonly partOfToday: number;
}

export function momentIn(timeZone: string, now: Date): Moment {
  const part = minutesIn(timeZone, now) / (24 * 60);
  return { now, today: dateIn(timeZone, now), partOfToday: part * part * (3 - 2 * part) };
}

function minutesIn(timeZone: string, now: Date): number {
  const format = new Intl.DateTimeFormat('en-GB', { timeZone, hour: 'numeric', minute: 'numeric' });
  const parts = new Map(format.formatToParts(now).map(({ type, value }) => [type, Number(value)]));
  return (parts.get('hour') ?? 0) * 60 + (parts.get('minute') ?? 0);
}

/** How much of a day's figures are there, 0 to 1. */
export function partOf(day: string, { today, partOfToday }: Moment): number {
  if (day < today) return 1;
  return day === today ? partOfToday : 0;
}

/** When the `index`th thing of a day happens: mostly around noon, UTC. In ms since 1970. */
export function timeWithin(number: number, topic: string): number {
  const part = (chance(`${topic} early`) + chance(`${topic} late`)) / 2;
  return number * DAY_MS + Math.floor(part * DAY_MS);
}
