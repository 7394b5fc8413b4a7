import type { JobTrigger } from '../domain/job-status.ts';
import type { Sql } from './db.ts';
import { writtenEvents, type JobNews } from './job-events.ts';
import { endOf, LIVE_SQL, mayMove, targetOf } from './job-moves.ts';

export interface CancelRequest {
  readonly organizationId: string;
  readonly jobId: string;
  /** Who asked, as in `triggeredBy` */
  readonly by: string;
  readonly reason: string | null;
}

/** What a request did to one job: the asked one or an unfinished child of it. */
export interface CancelEffect extends JobNews {
  /** `cancelled` at once, or `requested` of the worker that runs it */
  readonly effect: 'cancelled' | 'requested';
  /** The delivery that the broker may still hold */
  readonly delivery: number;
  readonly queue: string;
}

/**
 * Cancels a job and its unfinished descendants. What waits is cancelled at once, and what runs on a worker whose beat
 * is old too; both raise the fence. What runs on a live worker is marked, and the worker ends it.
 * @returns one effect per job that was not settled; none when the asked one was settled or does not exist
 */
export function requestCancel(sql: Sql, { jobId, ...request }: CancelRequest): Promise<CancelEffect[]> {
  return requestCancels(sql, { ...request, jobIds: [jobId] });
}

type CancelsRequest = Omit<CancelRequest, 'jobId'> & { readonly jobIds: readonly string[] };

/** The same for many jobs by one statement. */
export async function requestCancels(sql: Sql, request: CancelsRequest): Promise<CancelEffect[]> {
  const { rows } = await sql.query<{
    id: string;
    effect: CancelEffect['effect'];
    delivery: number;
    queue: string;
    events: unknown;
  }>(CANCEL, [request.organizationId, request.jobIds, request.by, request.reason]);
  return rows.map((row) => ({
    organizationId: request.organizationId,
    jobId: row.id,
    effect: row.effect,
    delivery: row.delivery,
    queue: row.queue,
    events: writtenEvents.parse(row.events),
  }));
}

const TRIGGERS = ['cancelled_waiting', 'cancelled'] as const satisfies readonly JobTrigger[];
/** Nobody will end the attempt: no worker of the job's has beaten for as long as a beat may be old. */
const ORPHANED = `NOT EXISTS (
  SELECT 1 FROM workers WHERE workers.id = jobs.worker_id AND beat_at > now() - interval '15 seconds')`;

const CANCEL = `
  WITH RECURSIVE family AS (
    SELECT id FROM jobs WHERE organization_id = $1 AND id = ANY($2::uuid[]) AND NOT internal
    UNION
    SELECT jobs.id FROM jobs JOIN family ON jobs.parent_id = family.id WHERE jobs.organization_id = $1
  ), held AS (
    SELECT jobs.id, jobs.delivery, cancel_requested_at IS NULL AS first_request,
           CASE WHEN ${mayMove('cancelled_waiting')} THEN 'cancelled_waiting'
                WHEN ${ORPHANED} THEN 'cancelled' END AS trigger
    FROM jobs JOIN family USING (id)
    WHERE status IN ${LIVE_SQL} ORDER BY jobs.id FOR UPDATE OF jobs
  ), moved AS (
    -- Without a trigger it runs on a live worker: only the request is written down.
    UPDATE jobs SET
      cancel_requested_at = coalesce(cancel_requested_at, now()),
      cancel_requested_by = coalesce(cancel_requested_by, $3), cancel_reason = coalesce(cancel_reason, $4),
      status = coalesce(${targetOf(TRIGGERS, 'held.trigger')}, status),
      completed_at = CASE WHEN held.trigger IS NOT NULL THEN now() END,
      status_changed_at = CASE WHEN held.trigger IS NOT NULL THEN now() ELSE status_changed_at END,
      worker_id = CASE WHEN held.trigger IS NOT NULL THEN NULL ELSE worker_id END,
      delivered_at = CASE WHEN held.trigger IS NOT NULL THEN NULL ELSE delivered_at END,
      next_attempt_at = CASE WHEN held.trigger IS NOT NULL THEN NULL ELSE next_attempt_at END,
      waiting_for = CASE WHEN held.trigger IS NOT NULL THEN NULL ELSE waiting_for END,
      delivery = jobs.delivery + CASE WHEN held.trigger IS NOT NULL THEN 1 ELSE 0 END,
      -- A job that is asked twice gets its mark and its event once.
      last_seq = last_seq + CASE WHEN held.trigger IS NOT NULL OR first_request THEN 1 ELSE 0 END
    FROM held WHERE jobs.id = held.id
    RETURNING jobs.*, held.trigger IS NOT NULL AS at_once, held.trigger, held.delivery AS held_delivery, held.first_request
  ), ended AS (
    UPDATE job_attempts SET ended_at = now(), outcome = ${endOf(TRIGGERS, 'moved.trigger')}
    FROM moved WHERE at_once AND job_attempts.job_id = moved.id AND job_attempts.delivery = moved.held_delivery
  ), event AS (
    INSERT INTO job_events (job_id, seq, type, attempt, status, progress_percent, message, level)
    SELECT id, last_seq, (CASE WHEN at_once THEN 'status' ELSE 'log' END)::job_event_type, attempt, status, progress_percent,
           CASE WHEN at_once THEN cancel_reason ELSE concat_ws(': ', 'Cancel requested by ' || $3::text, $4::text) END,
           CASE WHEN at_once THEN NULL ELSE 'info'::log_level END
    FROM moved WHERE at_once OR first_request
    RETURNING *
  )
  SELECT moved.id, moved.queue, moved.held_delivery AS delivery, CASE WHEN at_once THEN 'cancelled' ELSE 'requested' END AS effect,
         (SELECT jsonb_agg(to_jsonb(event)) FROM event WHERE event.job_id = moved.id) AS events
  FROM moved`;

/**
 * Jobs that somebody asked to cancel and whose worker died before it heard: a rescuer would cancel them, but there may be no
 * worker left.
 */
export async function listOrphanedCancels(
  sql: Sql,
  limit: number,
): Promise<{ readonly organizationId: string; readonly jobIds: readonly string[] }[]> {
  const { rows } = await sql.query<{ organization_id: string; ids: string[] }>(
    `SELECT organization_id, array_agg(id) AS ids
     FROM (SELECT organization_id, id FROM jobs
           WHERE ${mayMove('cancelled')} AND cancel_requested_at IS NOT NULL AND ${ORPHANED} LIMIT $1) AS orphaned
     GROUP BY organization_id`,
    [limit],
  );
  return rows.map((row) => ({ organizationId: row.organization_id, jobIds: row.ids }));
}

/** Of the attempts a process runs, those that it must end: cancelled, or no longer its own. */
export async function attemptsToEnd(
  sql: Sql,
  attempts: readonly { readonly jobId: string; readonly delivery: number }[],
): Promise<{ jobId: string; delivery: number; reason: 'cancelled' | 'lost' }[]> {
  const { rows } = await sql.query<{ job_id: string; delivery: number; own: boolean }>(
    `SELECT mine.job_id, mine.delivery, coalesce(jobs.delivery = mine.delivery AND jobs.status = 'running', false) AS own
     FROM unnest($1::uuid[], $2::int[]) AS mine (job_id, delivery) LEFT JOIN jobs ON jobs.id = mine.job_id
     WHERE jobs.id IS NULL OR jobs.delivery <> mine.delivery OR jobs.status <> 'running' OR cancel_requested_at IS NOT NULL`,
    [attempts.map(({ jobId }) => jobId), attempts.map(({ delivery }) => delivery)],
  );
  return rows.map((row) => ({
    jobId: row.job_id,
    delivery: row.delivery,
    reason: row.own ? 'cancelled' : 'lost',
  }));
}

/**
 * Writes down that the worker has told the attempt to stop: whoever asked sees that it was heard.
 * @returns null when it was written before, or the attempt is not the job's any more
 */
export async function acknowledgeCancel(sql: Sql, jobId: string, delivery: number): Promise<JobNews | null> {
  const { rows } = await sql.query<{ organization_id: string; events: unknown }>(
    `WITH heard AS (
       UPDATE jobs SET cancel_acknowledged_at = now(), last_seq = last_seq + 1
       WHERE id = $1 AND delivery = $2 AND ${mayMove('cancelled')} AND cancel_requested_at IS NOT NULL
         AND cancel_acknowledged_at IS NULL
       RETURNING *
     ), event AS (
       INSERT INTO job_events (job_id, seq, type, attempt, status, progress_percent, message, level)
       SELECT id, last_seq, 'log', attempt, status, progress_percent, 'The worker stops the attempt.', 'info' FROM heard
       RETURNING *
     )
     SELECT organization_id, (SELECT jsonb_agg(to_jsonb(event)) FROM event) AS events FROM heard`,
    [jobId, delivery],
  );
  const [row] = rows;
  return row ? { organizationId: row.organization_id, jobId, events: writtenEvents.parse(row.events) } : null;
}
