import { Cron } from 'croner';
import { LruMap } from '../../lib/lru-map.ts';

const EXPRESSION_LENGTH_MAX = 200;
/** The short names of common expressions; @reboot is none of a server's. */
const NICKNAME = /^@(yearly|annually|monthly|weekly|daily|midnight|hourly)$/i;

/** Reading an expression takes as long as ten steps through it. */
const parsed = new LruMap<string, Cron>({ weightMax: 1_000 });

/** Steps that were taken: a page of schedules is asked for again and again, and a step takes up to a millisecond. */
const steps = new LruMap<string, Date | null>({ weightMax: 5_000 });

/** The first time of an expression later than `after`. */
export function nextCronTime(expression: string, timeZone: string, after: Date): Date | null {
  const key = `${timeZone} ${expression} ${after.getTime()}`;
  const known = steps.get(key);
  if (known !== undefined) return known;
  const next = cronOf(expression, timeZone).nextRun(after);
  steps.set(key, next);
  return next;
}

/** The last time of an expression that is not later than `moment`. */
export function lastCronTime(expression: string, timeZone: string, moment: Date): Date | null {
  // Looking back from a whole second finds what is before it.
  const reference = new Date((Math.floor(moment.getTime() / 1_000) + 1) * 1_000);
  return cronOf(expression, timeZone).previousRuns(1, reference)[0] ?? null;
}

/**
 * An expression on a time zone's clock. A time of day that the zone skips runs at the end of the gap, one that comes
 * twice runs once; what has a wildcard or step in its hours or minutes goes by real hours instead: 23 and 25 a day.
 * @throws an error whose message says what is wrong with the expression; the zone must be known to exist
 */
function cronOf(expression: string, timeZone: string): Cron {
  const key = `${timeZone} ${expression}`;
  const known = parsed.get(key);
  if (known) return known;
  const cron = new Cron(expression, {
    timezone: timeZone,
    mode: '5-part',
    // Lists and ranges of hours are times of day too: "30 2,14 * * *" loses no run when the clock jumps over 02:30.
    fixedTimeRule: 'no-wildcard',
    paused: true,
  });
  parsed.set(key, cron);
  return cron;
}

/** What is wrong with an expression, in words for people, or null. One that never runs after `now` is wrong. */
export function cronProblem(expression: string, timeZone: string, now: Date): string | null {
  if (expression.length > EXPRESSION_LENGTH_MAX)
    return `expected at most ${EXPRESSION_LENGTH_MAX} characters, got ${expression.length}`;
  const fields = expression.split(/\s+/);
  if (!NICKNAME.test(expression) && fields.length !== 5) return fieldProblem(fields.length);
  try {
    return cronOf(expression, timeZone).nextRun(now) ? null : 'expected times that come, got none';
  } catch (error) {
    return wordsOf(error);
  }
}

function fieldProblem(count: number): string {
  const expected = 'expected five fields: minute, hour, day of the month, month, day of the week';
  return count === 6 || count === 7 ? `${expected}; seconds and years are not taken` : expected;
}

/** "CronPattern: Invalid value for minute: 61" without the library's own names. */
function wordsOf(error: unknown): string {
  const message = error instanceof Error ? error.message : String(error);
  return message.replace(/^Cron\w*: /, '').replace(/\.$/, '');
}
