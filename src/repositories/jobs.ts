import type { JobPriority, QueueName } from '../domain/job.ts';
import { JOB_PRIORITIES } from '../domain/job.ts';
import type { Sql } from './db.ts';
import { writtenEvents, type JobNews } from './job-events.ts';

export interface NewJob {
  readonly id: string;
  readonly organizationId: string;
  readonly kind: string;
  readonly version: number;
  readonly queue: QueueName;
  readonly priority: JobPriority;
  readonly input: unknown;
  readonly inputHash: Buffer;
  readonly triggeredBy: string;
  readonly runAt: Date | null;
  readonly maxAttempts: number;
  readonly idempotencyKey: string | null;
  readonly uniqueKey: string | null;
  readonly parentId: string | null;
  readonly scheduleId: string | null;
  readonly scheduledFor: Date | null;
  readonly internal: boolean;
  readonly searchText: string;
}

/**
 * Writes a pending job with its first event. Nothing is written while a live job of the kind has the same unique key.
 * @returns null in that case
 */
export async function insertJob(sql: Sql, job: NewJob): Promise<JobNews | null> {
  const { rows } = await sql.query<{ events: unknown }>(
    `WITH job AS (
       INSERT INTO jobs (id, organization_id, kind, version, queue, priority, input, input_hash, triggered_by, run_at,
                         due_at, max_attempts, idempotency_key, unique_key, parent_id, internal, search_text,
                         schedule_id, scheduled_for, last_seq)
       VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, coalesce($10, now()), $11, $12, $13, $14, $15, $16, $17, $18, 1)
       ON CONFLICT (organization_id, kind, unique_key)
         WHERE unique_key IS NOT NULL AND status IN ('pending', 'running') DO NOTHING
       RETURNING id
     ), event AS (
       INSERT INTO job_events (job_id, seq, type, attempt, status) SELECT id, 1, 'status', 0, 'pending' FROM job RETURNING *
     )
     SELECT jsonb_agg(to_jsonb(event)) AS events FROM event HAVING count(*) > 0`,
    [
      job.id,
      job.organizationId,
      job.kind,
      job.version,
      job.queue,
      JOB_PRIORITIES[job.priority],
      job.input,
      job.inputHash,
      job.triggeredBy,
      job.runAt,
      job.maxAttempts,
      job.idempotencyKey,
      job.uniqueKey,
      job.parentId,
      job.internal,
      job.searchText,
      job.scheduleId,
      job.scheduledFor,
    ],
  );
  const [row] = rows;
  if (!row) return null;
  return { organizationId: job.organizationId, jobId: job.id, events: writtenEvents.parse(row.events) };
}

export interface JobIdentity {
  readonly id: string;
  readonly inputHash: Buffer;
}

/** The live job that holds a unique key, if one does. */
export async function findLiveByUniqueKey(
  sql: Sql,
  organizationId: string,
  kind: string,
  uniqueKey: string,
): Promise<JobIdentity | null> {
  const { rows } = await sql.query<{ id: string; input_hash: Buffer }>(
    `SELECT id, input_hash FROM jobs
     WHERE organization_id = $1 AND kind = $2 AND unique_key = $3 AND status IN ('pending', 'running')`,
    [organizationId, kind, uniqueKey],
  );
  return rows[0] ? { id: rows[0].id, inputHash: rows[0].input_hash } : null;
}

/** The newest finished job with this very input that is not older than `maxAgeSeconds`. */
export async function findFreshResult(
  sql: Sql,
  organizationId: string,
  kind: string,
  inputHash: Buffer,
  maxAgeSeconds: number,
): Promise<string | null> {
  const { rows } = await sql.query<{ id: string }>(
    `SELECT id FROM jobs
     WHERE organization_id = $1 AND kind = $2 AND input_hash = $3
       AND status IN ('completed', 'completed_with_warnings')
       AND completed_at >= now() - make_interval(secs => $4)
     ORDER BY completed_at DESC LIMIT 1`,
    [organizationId, kind, inputHash, maxAgeSeconds],
  );
  return rows[0]?.id ?? null;
}

export interface RetryableJob {
  readonly id: string;
  readonly kind: string;
  readonly version: number;
  readonly status: string;
  readonly input: unknown;
  readonly hasRejectedRows: boolean;
}

/** A public job of the organization, with what a retry needs; null as for one that does not exist. */
export async function findForRetry(
  sql: Sql,
  organizationId: string,
  jobId: string,
): Promise<RetryableJob | null> {
  const { rows } = await sql.query<{
    id: string;
    kind: string;
    version: number;
    status: string;
    input: unknown;
    has_rejected_rows: boolean;
  }>(
    `SELECT id, kind, version, status, input,
            EXISTS (SELECT 1 FROM stored_files f
                    WHERE f.organization_id = j.organization_id AND f.job_id = j.id AND f.role = 'rejected_rows') AS has_rejected_rows
     FROM jobs j WHERE organization_id = $1 AND id = $2 AND NOT internal`,
    [organizationId, jobId],
  );
  const [row] = rows;
  if (!row) return null;
  const { has_rejected_rows: hasRejectedRows, ...job } = row;
  return { ...job, hasRejectedRows };
}
