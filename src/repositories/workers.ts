import type { JobTrigger } from '../domain/job-status.ts';
import type { Capabilities } from './job-claims.ts';
import type { Sql } from './db.ts';
import { writtenEvents, type JobNews } from './job-events.ts';
import { endOf, mayMove, targetOf, uncounted, waitOf } from './job-moves.ts';

export interface WorkerIdentity {
  readonly id: string;
  /** "host:pid": shown on attempts */
  readonly name: string;
  readonly capabilities: Capabilities;
  readonly queues: readonly string[];
}

/** Every session of a worker carries this name: a rescuer ends them by it. */
export function workerApplicationName(workerId: string): string {
  return `millrace-${workerId}`;
}

/** One statement, so that the beat thread needs nothing else. Values: id, name, kinds, queues. */
export const BEAT_SQL = `
  INSERT INTO workers (id, name, kinds, queues) VALUES ($1, $2, $3, $4)
  ON CONFLICT (id) DO UPDATE SET beat_at = now()`;

export function beatValues(worker: WorkerIdentity): unknown[] {
  return [worker.id, worker.name, JSON.stringify(worker.capabilities), worker.queues];
}

/** The last beat of each worker and of each id that running jobs name though it has no row, as text of Postgres' clock. */
export async function readBeats(
  sql: Sql,
  staleSeconds: number,
): Promise<{ id: string; beat: string; stale: boolean }[]> {
  const { rows } = await sql.query<{ id: string; beat: string; stale: boolean }>(
    `SELECT id, beat_at::text AS beat, beat_at < now() - make_interval(secs => $1) AS stale FROM workers
     UNION ALL
     SELECT DISTINCT worker_id, 'none', true FROM jobs
     WHERE status = 'running' AND worker_id IS NOT NULL
       AND NOT EXISTS (SELECT 1 FROM workers WHERE workers.id = jobs.worker_id)`,
    [staleSeconds],
  );
  return rows;
}

/** Ends the database sessions of a dead worker: one stopped inside COPY would hold its row locks for ever. */
export async function endSessions(sql: Sql, workerId: string): Promise<void> {
  await sql.query('SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name = $1', [
    workerApplicationName(workerId),
  ]);
}

/** Which running jobs are taken from a worker. */
export type Rescue =
  /** All of a worker that is dead, unless it has beaten since that beat was judged */
  | { readonly workerId: string; readonly lastBeat: string }
  /** Some that a live worker is written down for, but does not run */
  | { readonly workerId: string; readonly jobIds: readonly string[] };

/**
 * Takes jobs from a worker and raises their fences: they wait for another attempt, are cancelled where somebody asked
 * for it, or have failed where no attempt is left. At most `limit` at once.
 */
export async function rescueJobs(sql: Sql, rescue: Rescue, limit: number): Promise<JobNews[]> {
  const { rows } = await sql.query<{ id: string; organization_id: string; events: unknown }>(RESCUE, [
    rescue.workerId,
    'lastBeat' in rescue ? rescue.lastBeat : null,
    limit,
    'jobIds' in rescue ? rescue.jobIds : null,
  ]);
  return rows.map((row) => ({
    organizationId: row.organization_id,
    jobId: row.id,
    events: writtenEvents.parse(row.events),
  }));
}

const RESCUE_TRIGGERS = [
  'worker_lost',
  'attempts_exhausted',
  'cancelled',
] as const satisfies readonly JobTrigger[];
const next = targetOf(RESCUE_TRIGGERS, 'held.trigger');

const RESCUE = `
  WITH held AS (
    SELECT id, delivery,
           CASE WHEN cancel_requested_at IS NOT NULL THEN 'cancelled'
                WHEN attempt >= max_attempts THEN 'attempts_exhausted' ELSE 'worker_lost' END AS trigger
    FROM jobs WHERE worker_id = $1 AND ${mayMove('worker_lost')}
      AND ($2::text IS NULL OR NOT EXISTS (SELECT 1 FROM workers WHERE workers.id = $1 AND beat_at::text <> $2))
      AND ($4::uuid[] IS NULL OR id = ANY($4))
    ORDER BY id LIMIT $3 FOR UPDATE SKIP LOCKED
  ), moved AS (
    UPDATE jobs SET status = ${next}, status_changed_at = now(), worker_id = NULL, delivered_at = NULL, due_at = now(),
      delivery = jobs.delivery + 1, last_seq = last_seq + 1, attempt = attempt - ${uncounted(RESCUE_TRIGGERS, 'held.trigger')},
      waiting_for = ${waitOf(RESCUE_TRIGGERS, 'held.trigger')},
      completed_at = CASE WHEN ${next} = 'pending' THEN NULL ELSE now() END,
      error_code = CASE WHEN ${next} = 'failed' THEN 'ATTEMPTS_EXHAUSTED' END,
      error_message = CASE WHEN ${next} = 'failed'
        THEN 'The worker stopped in each of ' || max_attempts || ' attempts. The job itself may be what stops it.' END
    FROM held WHERE jobs.id = held.id RETURNING jobs.*, held.trigger, held.delivery AS held_delivery
  ), ended AS (
    UPDATE job_attempts SET ended_at = now(), outcome = ${endOf(RESCUE_TRIGGERS, 'moved.trigger')},
                            error_message = 'The worker stopped.'
    FROM moved WHERE job_attempts.job_id = moved.id AND job_attempts.delivery = moved.held_delivery
  ), event AS (
    INSERT INTO job_events (job_id, seq, type, attempt, status, progress_percent, message, error_code)
    SELECT id, last_seq, 'status', attempt, status, progress_percent,
           coalesce(error_message, cancel_reason, 'The worker stopped; another one takes over.'), error_code
    FROM moved RETURNING *
  )
  SELECT moved.id, moved.organization_id, (SELECT jsonb_agg(to_jsonb(event)) FROM event WHERE event.job_id = moved.id) AS events
  FROM moved`;

/** Takes a worker off the list once nothing names it; with `beat`, because it is dead, and only if it has not beaten since. */
export async function removeWorker(sql: Sql, workerId: string, beat?: string): Promise<void> {
  await sql.query(
    `WITH gone AS (DELETE FROM workers WHERE id = $1 AND ($2::text IS NULL OR beat_at::text = $2) RETURNING *)
     INSERT INTO stopped_workers (id, name, kinds, queues, started_at, beat_at, lost)
     SELECT id, name, kinds, queues, started_at, beat_at, $2::text IS NOT NULL FROM gone
     ON CONFLICT (id) DO UPDATE SET beat_at = excluded.beat_at, stopped_at = now(), lost = excluded.lost`,
    [workerId, beat ?? null],
  );
}
