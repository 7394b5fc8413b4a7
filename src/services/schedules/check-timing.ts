import { UserFacingError } from '../../domain/errors.ts';
import { isTimeZone } from '../../domain/period.ts';
import {
  EVERY_SECONDS_MAX,
  EVERY_SECONDS_MIN,
  type ScheduleTiming,
  type ScheduleTimingRequest,
} from '../../domain/schedule.ts';
import { cronProblem } from './cron.ts';

/**
 * A timing that has something to come. `every` counts from `now`.
 * @param path where the request stands among the caller's arguments
 * @throws UserFacingError INVALID that names the field
 */
export function checkTiming(
  request: ScheduleTimingRequest,
  now: Date,
  path: readonly string[],
): ScheduleTiming {
  const invalid = (field: readonly string[], message: string): UserFacingError =>
    UserFacingError.of('INVALID', [...path, ...field], `${message}.`);

  if ('cron' in request) {
    const { timeZone } = request.cron;
    const expression = request.cron.expression.trim();
    if (!isTimeZone(timeZone))
      throw invalid(['cron', 'timeZone'], 'Expected an IANA time zone such as "Europe/Berlin"');
    const problem = cronProblem(expression, timeZone, now);
    if (problem) throw invalid(['cron', 'expression'], `Not a cron expression that runs: ${problem}`);
    return { type: 'cron', expression, timeZone };
  }
  if ('every' in request) {
    const { seconds } = request.every;
    if (!Number.isInteger(seconds) || seconds < EVERY_SECONDS_MIN || seconds > EVERY_SECONDS_MAX) {
      const expected = `Expected ${EVERY_SECONDS_MIN} to ${EVERY_SECONDS_MAX} seconds, got ${seconds}`;
      throw invalid(['every', 'seconds'], expected);
    }
    return { type: 'every', seconds, anchor: now };
  }
  const { at } = request.once;
  if (at <= now)
    throw invalid(['once', 'at'], `Expected a moment to come; it is ${now.toISOString()} already`);
  return { type: 'once', at };
}

/** Whether both mean the same due times but for where `every` counts from: a form sends back what it was given. */
export function isSameTiming(a: ScheduleTiming, b: ScheduleTimingRequest): boolean {
  switch (a.type) {
    case 'cron':
      return 'cron' in b && a.expression === b.cron.expression.trim() && a.timeZone === b.cron.timeZone;
    case 'every':
      return 'every' in b && a.seconds === b.every.seconds;
    case 'once':
      return 'once' in b && a.at.getTime() === b.once.at.getTime();
  }
}
