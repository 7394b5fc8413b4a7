import { JOB_STATUSES, JOB_TRANSITIONS, SETTLED_STATUSES, type JobTrigger } from '../domain/job-status.ts';

/**
 * The transition table as SQL. Names and values are literals of our own code, never input, and each trigger's name
 * reaches Postgres as text.
 */

/** `status = 'running'`: the condition under which a job may be moved by `trigger`. */
export function mayMove(trigger: JobTrigger, column = 'status'): string {
  return `${column} = '${JOB_TRANSITIONS[trigger].from}'`;
}

/** The status that the trigger in a column or expression leads to. */
export function targetOf(triggers: readonly JobTrigger[], expression: string): string {
  return caseOf(triggers, expression, (trigger) => `'${JOB_TRANSITIONS[trigger].to}'`, 'job_status');
}

/** How it ends the attempt. */
export function endOf(triggers: readonly JobTrigger[], expression: string): string {
  return caseOf(triggers, expression, (trigger) => literal(JOB_TRANSITIONS[trigger].ends), 'attempt_outcome');
}

/** 1 where the attempt that ended does not count against `maxAttempts`, else 0: to be taken from `attempt`. */
export function uncounted(triggers: readonly JobTrigger[], expression: string): string {
  return caseOf(triggers, expression, (trigger) => (JOB_TRANSITIONS[trigger].counts ? '0' : '1'), 'int');
}

/** What the job waits for afterwards. */
export function waitOf(triggers: readonly JobTrigger[], expression: string): string {
  return caseOf(triggers, expression, (trigger) => literal(JOB_TRANSITIONS[trigger].waitsFor), 'wait_cause');
}

/** Statuses that nothing leaves, for `status IN …`. */
export const SETTLED_SQL = `(${SETTLED_STATUSES.map((status) => `'${status}'`).join(', ')})`;

/** Statuses of jobs that are not settled, for `status IN …`. */
export const LIVE_SQL = `(${JOB_STATUSES.filter((status) => !SETTLED_STATUSES.includes(status))
  .map((status) => `'${status}'`)
  .join(', ')})`;

const literal = (value: string | null): string => (value === null ? 'NULL' : `'${value}'`);

function caseOf(
  triggers: readonly JobTrigger[],
  expression: string,
  valueOf: (trigger: JobTrigger) => string,
  type: string,
): string {
  const branches = triggers.map((trigger) => `WHEN '${trigger}' THEN ${valueOf(trigger)}`);
  return `(CASE ${expression} ${branches.join(' ')} END)::${type}`;
}
