import type { JobErrorCode } from '../domain/errors.ts';
import { toJobErrorCode } from '../domain/job-event.ts';
import { isSettled, type JobStatus, type SettleTrigger } from '../domain/job-status.ts';
import { wakeParents } from './job-children.ts';
import type { Sql } from './db.ts';
import { statusNews, type JobNews } from './job-events.ts';
import { lockedJob } from './job-lock.ts';
import { endOf, mayMove, targetOf, uncounted, waitOf } from './job-moves.ts';
import { prepared, unseen } from './prepared.ts';

/** Where an attempt's job goes next; worker/outcome.ts alone decides it. */
export interface Settlement {
  readonly trigger: SettleTrigger;
  readonly result?: unknown;
  readonly errorCode?: JobErrorCode;
  /** For people */
  readonly errorMessage?: string;
  /** Before the next attempt, in ms; for triggers that lead to `pending` */
  readonly delayMs?: number;
}

/** A settlement and the attempt that it ends. */
export interface AttemptEnd extends Settlement {
  readonly jobId: string;
  readonly delivery: number;
}

/** A job that an attempt's end moved. */
export interface SettledNews extends JobNews {
  readonly status: JobStatus;
}

interface SettleRow {
  id: string;
  organization_id: string;
  parent_id: string | null;
  status: JobStatus;
  waiting: boolean;
  attempt: number;
  last_seq: number;
  progress_percent: number | null;
  message: string | null;
  error_code: string | null;
  at: Date;
}

/**
 * Ends attempts, all by one statement. A job that somebody asked to cancel meanwhile is not tried again but cancelled.
 * The fence is raised, so that nothing of these attempts can be written any more. Parents that waited for the last of
 * their children go on.
 * @returns in the order of `ends`; null where the attempt was not the job's any more: nothing happened then
 */
export async function settleAttempts(sql: Sql, ends: readonly AttemptEnd[]): Promise<(SettledNews | null)[]> {
  const { rows } = await sql.query<SettleRow>(SETTLE, [
    ends.map(({ jobId }) => jobId),
    ends.map(({ delivery }) => delivery),
    ends.map(({ trigger }) => trigger),
    ends.map(({ result }) => (result === undefined ? null : JSON.stringify(result))),
    ends.map(({ errorCode }) => errorCode ?? null),
    ends.map(({ errorMessage }) => errorMessage ?? null),
    ends.map(({ delayMs }) => Math.round(delayMs ?? 0)),
  ]);
  // Whoever of parent and last child commits later finds both: see job-children.ts.
  const parents = rows.flatMap((row) => {
    if (row.waiting) return [row.id];
    return row.parent_id !== null && isSettled(row.status) ? [row.parent_id] : [];
  });
  if (parents.length > 0) await wakeParents(sql, parents);
  const moved = new Map(rows.map((row) => [row.id, toNews(row)]));
  return ends.map(({ jobId }) => moved.get(jobId) ?? null);
}

function toNews(row: SettleRow): SettledNews {
  const news = statusNews({
    organizationId: row.organization_id,
    jobId: row.id,
    seq: row.last_seq,
    at: row.at,
    attempt: row.attempt,
    status: row.status,
    progressPercent: row.progress_percent,
    message: row.message,
    errorCode: toJobErrorCode(row.error_code),
  });
  return { ...news, status: row.status };
}

const TRIGGERS = [
  'completed',
  'completed_with_warnings',
  'failed',
  'cancelled',
  'retry',
  'snoozed',
  'waits_for_children',
  'released',
] as const satisfies readonly SettleTrigger[];

const next = targetOf(TRIGGERS, 'held.trigger');

const SETTLE = prepared(
  'settle',
  `
  WITH held AS (
    SELECT jobs.id, wanted.delivery, wanted.result, wanted.delay_ms,
           CASE WHEN asked THEN 'cancelled' ELSE wanted.trigger END AS trigger,
           CASE WHEN asked OR wanted.trigger = 'cancelled' THEN NULL ELSE wanted.error_code END AS error_code,
           CASE WHEN asked OR wanted.trigger = 'cancelled' THEN NULL ELSE wanted.error_message END AS error_message
    FROM (SELECT * FROM unnest(${unseen('$1::uuid[]', '$2::int[]', '$3::text[]', '$4::jsonb[]', '$5::text[]', '$6::text[]', '$7::bigint[]')})
            AS wanted (id, delivery, trigger, result, error_code, error_message, delay_ms) ORDER BY id) AS wanted
    CROSS JOIN LATERAL (${lockedJob('wanted.id')}) AS jobs
    CROSS JOIN LATERAL (SELECT cancel_requested_at IS NOT NULL
                               AND ${targetOf(TRIGGERS, 'wanted.trigger')} = 'pending' AS asked) AS cancel
    WHERE jobs.delivery = wanted.delivery AND ${mayMove('completed', 'jobs.status')}
  ), moved AS (
    UPDATE jobs SET
      status = ${next}, status_changed_at = now(), worker_id = NULL, delivered_at = NULL, last_seq = last_seq + 1,
      delivery = jobs.delivery + 1,
      attempt = attempt - ${uncounted(TRIGGERS, 'held.trigger')},
      completed_at = CASE WHEN ${next} = 'pending' THEN NULL ELSE now() END,
      result = coalesce(held.result, jobs.result),
      -- The attempt may end before the worker has said that it heard.
      cancel_acknowledged_at = CASE WHEN ${next} = 'cancelled' THEN coalesce(cancel_acknowledged_at, now())
                                    ELSE cancel_acknowledged_at END,
      error_code = held.error_code, error_message = held.error_message,
      search_text = CASE WHEN held.error_message IS NULL OR ${next} = 'pending' THEN search_text
                         ELSE search_text || ' ' || lower(held.error_message) END,
      progress_percent = CASE WHEN ${next} IN ('completed', 'completed_with_warnings') THEN 100 ELSE progress_percent END,
      waiting_for = ${waitOf(TRIGGERS, 'held.trigger')},
      due_at = CASE WHEN held.trigger = 'waits_for_children' THEN 'infinity'
                    WHEN ${next} = 'pending' THEN now() + held.delay_ms * interval '1 millisecond' ELSE due_at END,
      next_attempt_at = CASE WHEN ${next} = 'pending' AND held.delay_ms > 0
                             THEN now() + held.delay_ms * interval '1 millisecond' END
    FROM held WHERE jobs.id = held.id RETURNING jobs.*, held.trigger, held.delivery AS held_delivery
  ), ended AS (
    UPDATE job_attempts SET ended_at = now(), error_code = moved.error_code, error_message = moved.error_message,
                            outcome = ${endOf(TRIGGERS, 'moved.trigger')}
    FROM moved WHERE job_attempts.job_id = moved.id AND job_attempts.delivery = moved.held_delivery
  ), event AS (
    INSERT INTO job_events (job_id, seq, type, attempt, status, progress_percent, message, error_code)
    SELECT id, last_seq, 'status', attempt, status, progress_percent, coalesce(error_message, cancel_reason), error_code
    FROM moved
  ), scratch AS (
    DELETE FROM job_checkpoints USING moved WHERE job_id = moved.id AND moved.status <> 'pending'
  )
  SELECT id, organization_id, parent_id, status, waiting_for IS NOT DISTINCT FROM 'children' AS waiting, attempt, last_seq,
         progress_percent, coalesce(error_message, cancel_reason) AS message, error_code, now()::timestamptz(3) AS at
  FROM moved`,
);
