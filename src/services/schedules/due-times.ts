import type { ScheduleTiming } from '../../domain/schedule.ts';
import { lastCronTime, nextCronTime } from './cron.ts';

/** The first due time later than `after`; null when none is to come. */
export function nextDueTime(timing: ScheduleTiming, after: Date): Date | null {
  switch (timing.type) {
    case 'cron':
      return nextCronTime(timing.expression, timing.timeZone, after);
    case 'every':
      return nthTime(timing, stepsUntil(timing, after) + 1);
    case 'once':
      return timing.at > after ? timing.at : null;
  }
}

/**
 * What a schedule that was due at `due` stands for now: its latest due time that is not later than `now`. All that
 * were missed in between are one run.
 */
export function latestDueTime(timing: ScheduleTiming, due: Date, now: Date): Date {
  const latest = latestUntil(timing, now);
  return latest && latest > due ? latest : due;
}

function latestUntil(timing: ScheduleTiming, now: Date): Date | null {
  switch (timing.type) {
    case 'cron':
      return lastCronTime(timing.expression, timing.timeZone, now);
    case 'every': {
      const steps = stepsUntil(timing, now);
      return steps === 0 ? null : nthTime(timing, steps);
    }
    case 'once':
      return timing.at;
  }
}

/** `first` and the due times after it, at most `count` in all. */
export function dueTimesFrom(timing: ScheduleTiming, first: Date, count: number): Date[] {
  const times: Date[] = [];
  for (let next: Date | null = first; next && times.length < count; next = nextDueTime(timing, next))
    times.push(next);
  return times;
}

type Every = Extract<ScheduleTiming, { type: 'every' }>;

function stepsUntil({ seconds, anchor }: Every, moment: Date): number {
  return Math.max(0, Math.floor((moment.getTime() - anchor.getTime()) / (seconds * 1_000)));
}

function nthTime({ seconds, anchor }: Every, steps: number): Date {
  return new Date(anchor.getTime() + steps * seconds * 1_000);
}
