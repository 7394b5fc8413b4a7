/** When a schedule is due: closed, and exactly one of them. */
export type ScheduleTiming =
  /** Five fields on a time zone's clock */
  | { readonly type: 'cron'; readonly expression: string; readonly timeZone: string }
  /** Counted from `anchor`, which is never due itself */
  | { readonly type: 'every'; readonly seconds: number; readonly anchor: Date }
  | { readonly type: 'once'; readonly at: Date };

/** What a caller asks for: exactly one of them. */
export type ScheduleTimingRequest =
  | { readonly cron: { readonly expression: string; readonly timeZone: string } }
  | { readonly every: { readonly seconds: number } }
  | { readonly once: { readonly at: Date } };

/** `finished`: nothing is to come, as for a single run that has been. */
export const SCHEDULE_STATES = ['active', 'paused', 'finished'] as const;
export type ScheduleState = (typeof SCHEDULE_STATES)[number];

export function scheduleState(schedule: {
  readonly pausedAt: Date | null;
  readonly nextDueAt: Date | null;
}): ScheduleState {
  if (schedule.pausedAt) return 'paused';
  return schedule.nextDueAt ? 'active' : 'finished';
}

/** Schedules that an organization may have at once. */
export const SCHEDULES_MAX = 1_000;
export const SCHEDULE_NAME_LENGTH_MAX = 100;
export const EVERY_SECONDS_MIN = 10;
/** 366 days */
export const EVERY_SECONDS_MAX = 31_622_400;
