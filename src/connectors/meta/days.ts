import { z } from 'zod';
import { addDays, isDate } from '../../domain/period.ts';

/** Meta counts the days of Pages and of Instagram accounts here, wherever their owners are. */
export const PACIFIC = 'America/Los_Angeles';

export const day = z.string().refine(isDate, { error: 'expected a day as YYYY-MM-DD' });

/** How far a run has come. Meta's own cursors do not last: days do. */
export const dayCursor = z.object({
  /** The first day that is not read, or not to its end */
  next: day,
  /** The last day that there was when the run began: days shortly before it were not settled yet */
  readOn: day,
});
export type DayCursor = z.infer<typeof dayCursor>;

export interface Reach {
  /** The first day that is wanted at all */
  readonly from: string;
  /** The last day that there is */
  readonly last: string;
  /** So many days at the end of what was read are read again, until they are this old */
  readonly trailingDays: number;
  /** Meta keeps no more */
  readonly keptDays: number;
}

export function earlier(one: string, other: string): string {
  return one < other ? one : other;
}

/** The day at which a run begins; never after the last. */
export function firstDay(after: DayCursor | null, { from, last, trailingDays, keptDays }: Reach): string {
  const start = after === null ? from : startAfter(after, last, trailingDays);
  const oldest = addDays(last, 1 - keptDays);
  return earlier(last, start < oldest ? oldest : start);
}

/** A run that was cut short goes on on the same day; on another, what it read has changed since. */
function startAfter({ next, readOn }: DayCursor, last: string, trailingDays: number): string {
  const isUnderWay = readOn === last && next <= last;
  return isUnderWay ? next : earlier(next, addDays(readOn, 1 - trailingDays));
}

/** The cursor once every day up to `until` is read. */
export function readUpTo(until: string, last: string): DayCursor {
  return { next: addDays(until, 1), readOn: last };
}
