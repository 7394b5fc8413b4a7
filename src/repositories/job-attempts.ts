import type { JobErrorCode } from '../domain/errors.ts';
import type { JobStatus } from '../domain/job-status.ts';
import type { Sql } from './db.ts';
import { writtenEvents, type JobNews } from './job-events.ts';

/** A job as an attempt gets it. */
export interface ClaimedJob {
  readonly id: string;
  readonly delivery: number;
  readonly kind: string;
  readonly version: number;
  readonly attempt: number;
  readonly maxAttempts: number;
  readonly input: unknown;
  readonly itemCount: number;
  readonly organization: { readonly id: string; readonly timeZone: string; readonly currency: string };
  readonly news: JobNews;
}

/** Kinds that a worker can run, each with its newest version. */
export type Capabilities = Readonly<Record<string, number>>;

interface ClaimRow {
  id: string;
  delivery: number;
  kind: string;
  version: number;
  attempt: number;
  max_attempts: number;
  input: unknown;
  item_count: number;
  organization_id: string;
  time_zone: string;
  currency: string;
  events: unknown;
}

/**
 * Begins an attempt, if this very delivery is still the job's newest and waits. @returns null when it is not: the
 * delivery is old, doubled, or its job was cancelled, paused or is of a kind that this worker does not know
 */
export async function claimDelivery(
  sql: Sql,
  jobId: string,
  delivery: number,
  worker: { readonly id: string; readonly name: string; readonly capabilities: Capabilities },
): Promise<ClaimedJob | null> {
  const { rows } = await sql.query<ClaimRow>(
    `WITH claimed AS (
       UPDATE jobs SET status = 'running', attempt = attempt + 1, worker_id = $3, started_at = coalesce(started_at, now()),
                       next_attempt_at = NULL, status_changed_at = now(), last_seq = last_seq + 1
       WHERE id = $1 AND delivery = $2 AND status = 'pending'
         AND version <= ($5::jsonb ->> kind)::int
         AND NOT EXISTS (SELECT 1 FROM queues WHERE name = jobs.queue AND paused_at IS NOT NULL)
       RETURNING *
     ), attempt AS (
       INSERT INTO job_attempts (job_id, delivery, number, worker) SELECT id, delivery, attempt, $4 FROM claimed
     ), event AS (
       INSERT INTO job_events (job_id, seq, type, attempt, status, progress_percent)
       SELECT id, last_seq, 'status', attempt, 'running', progress_percent FROM claimed RETURNING *
     )
     SELECT claimed.id, delivery, kind, version, attempt, max_attempts, input, item_count, organization_id,
            organizations.time_zone, organizations.currency, (SELECT jsonb_agg(to_jsonb(event)) FROM event) AS events
     FROM claimed JOIN organizations ON organizations.id = claimed.organization_id`,
    [jobId, delivery, worker.id, worker.name, JSON.stringify(worker.capabilities)],
  );
  const [row] = rows;
  if (!row) return null;
  return {
    id: row.id,
    delivery: row.delivery,
    kind: row.kind,
    version: row.version,
    attempt: row.attempt,
    maxAttempts: row.max_attempts,
    input: row.input,
    itemCount: row.item_count,
    organization: { id: row.organization_id, timeZone: row.time_zone, currency: row.currency },
    news: { organizationId: row.organization_id, jobId: row.id, events: writtenEvents.parse(row.events) },
  };
}

/** A wrong catch goes back without using an attempt, later and later: 1 s at first, at most 30 s. */
export async function giveBack(sql: Sql, jobId: string, delivery: number): Promise<void> {
  await sql.query(
    `UPDATE jobs SET delivered_at = NULL, due_at = now() + least(30, greatest(1, delivery)) * interval '1 second'
     WHERE id = $1 AND delivery = $2 AND status = 'pending'`,
    [jobId, delivery],
  );
}

/** Where an attempt's job goes next; worker/outcome.ts alone decides it. */
export interface Settlement {
  /** A settled status, or `pending` for another attempt later */
  readonly status: Exclude<JobStatus, 'running'>;
  readonly attemptOutcome: 'completed' | 'failed' | 'snoozed' | 'cancelled' | 'lost' | 'released';
  readonly result?: unknown;
  readonly errorCode?: JobErrorCode;
  /** For people */
  readonly errorMessage?: string;
  /** Before the next attempt, in ms; for `pending` only */
  readonly delayMs?: number;
}

/**
 * Ends an attempt. A job that somebody asked to cancel meanwhile is not tried again but cancelled. The fence is
 * raised, so that nothing of this attempt can be written any more.
 * @returns null when the attempt was not the job's any more: nothing happened then
 */
export async function settleAttempt(
  sql: Sql,
  jobId: string,
  delivery: number,
  settlement: Settlement,
): Promise<(JobNews & { readonly status: JobStatus }) | null> {
  const { rows } = await sql.query<{ organization_id: string; status: JobStatus; events: unknown }>(SETTLE, [
    jobId,
    delivery,
    settlement.status,
    settlement.attemptOutcome,
    settlement.result === undefined ? null : JSON.stringify(settlement.result),
    settlement.errorCode ?? null,
    settlement.errorMessage ?? null,
    settlement.delayMs ?? 0,
  ]);
  const [row] = rows;
  if (!row) return null;
  return {
    organizationId: row.organization_id,
    jobId,
    status: row.status,
    events: writtenEvents.parse(row.events),
  };
}

const SETTLE = `
  WITH held AS (
    SELECT id, CASE WHEN $3::job_status = 'pending' AND cancel_requested_at IS NOT NULL THEN 'cancelled'::job_status
                    ELSE $3::job_status END AS next
    FROM jobs WHERE id = $1 AND delivery = $2 AND status = 'running' FOR UPDATE
  ), moved AS (
    UPDATE jobs SET
      status = next, status_changed_at = now(), worker_id = NULL, delivered_at = NULL, last_seq = last_seq + 1,
      delivery = delivery + 1,
      -- Snoozed and released attempts do not count against maxAttempts.
      attempt = attempt - CASE WHEN $4::attempt_outcome IN ('snoozed', 'released') THEN 1 ELSE 0 END,
      completed_at = CASE WHEN next = 'pending' THEN NULL ELSE now() END,
      result = coalesce($5::jsonb, result),
      error_code = CASE WHEN next = 'cancelled' THEN NULL ELSE $6 END,
      error_message = CASE WHEN next = 'cancelled' THEN NULL ELSE $7 END,
      search_text = CASE WHEN $7::text IS NULL OR next IN ('pending', 'cancelled') THEN search_text
                         ELSE search_text || ' ' || lower($7) END,
      progress_percent = CASE WHEN next IN ('completed', 'completed_with_warnings') THEN 100 ELSE progress_percent END,
      due_at = CASE WHEN next = 'pending' THEN now() + $8 * interval '1 millisecond' ELSE due_at END,
      next_attempt_at = CASE WHEN next = 'pending' AND $8 > 0 THEN now() + $8 * interval '1 millisecond' END
    FROM held WHERE jobs.id = held.id RETURNING jobs.*
  ), ended AS (
    UPDATE job_attempts SET ended_at = now(), error_code = $6, error_message = $7,
                            outcome = CASE WHEN moved.status = 'cancelled' THEN 'cancelled' ELSE $4::attempt_outcome END
    FROM moved WHERE job_attempts.job_id = moved.id AND job_attempts.delivery = $2
  ), event AS (
    INSERT INTO job_events (job_id, seq, type, attempt, status, progress_percent, message, error_code)
    SELECT id, last_seq, 'status', attempt, status, progress_percent, coalesce(error_message, cancel_reason), error_code
    FROM moved RETURNING *
  ), scratch AS (
    DELETE FROM job_checkpoints USING moved WHERE job_id = moved.id AND moved.status NOT IN ('pending')
  )
  SELECT organization_id, status, (SELECT jsonb_agg(to_jsonb(event)) FROM event) AS events FROM moved`;
