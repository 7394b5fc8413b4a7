import { timeOfUuid } from '../domain/ids.ts';
import { JOB_PRIORITIES, type JobPriority, type QueueName } from '../domain/job.ts';
import { CAPABLE_SQL, placeSql, roomSql } from './admission.ts';
import type { Sql } from './db.ts';
import { statusNews, type JobNews } from './job-events.ts';
import type { IssuedDelivery } from './job-deliveries.ts';
import { LIVE_SQL } from './job-moves.ts';
import { prepared, unseen } from './prepared.ts';
import { IS_KEPT } from './uploads.ts';

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
  /** The due time of its schedule that it stands for; null for a run by hand */
  readonly scheduledFor: Date | null;
  readonly internal: boolean;
  readonly searchText: string;
  /** Uploads that its input names: from now on they stay as long as the job does */
  readonly uploadIds: readonly string[];
}

/** A job that was written. */
export interface InsertedJob {
  readonly news: JobNews;
  /** The delivery to hand to the broker after the commit; null where the dispatcher will issue it in its turn */
  readonly issued: IssuedDelivery | null;
}

/**
 * Writes pending jobs with their first events, and issues those that are due and have room in their organization's
 * window, all by one statement.
 * @param window deliveries per organization and queue that may wait in the broker at once
 * @returns in the order of `jobs`; null for one that was not written, because a live job of the kind has its unique key,
 * or an upload that it names does not exist or has gone
 */
export async function insertJobs(
  sql: Sql,
  jobs: readonly NewJob[],
  window: number,
): Promise<(InsertedJob | null)[]> {
  const { rows } = await sql.query<InsertRow>(INSERT, [window, ...columnsOf(jobs)]);
  const inserted = new Map(rows.map((row) => [row.id, row]));
  return jobs.map((job) => {
    const row = inserted.get(job.id);
    return row ? toInserted(job, row) : null;
  });
}

interface InsertRow {
  id: string;
  delivery: number;
  place: number | null;
  at: Date;
}

function toInserted({ organizationId, id: jobId }: NewJob, row: InsertRow): InsertedJob {
  const news = statusNews({ organizationId, jobId, seq: 1, at: row.at, attempt: 0, status: 'pending' });
  return {
    news,
    issued: row.place === null ? null : { jobId, delivery: row.delivery, place: row.place },
  };
}

function columnsOf(jobs: readonly NewJob[]): unknown[] {
  return [
    jobs.map((job) => job.id),
    jobs.map((job) => job.organizationId),
    jobs.map((job) => job.kind),
    jobs.map((job) => job.version),
    jobs.map((job) => job.queue),
    jobs.map((job) => JOB_PRIORITIES[job.priority]),
    jobs.map((job) => JSON.stringify(job.input)),
    jobs.map((job) => job.inputHash),
    jobs.map((job) => job.triggeredBy),
    jobs.map((job) => job.runAt),
    jobs.map((job) => job.maxAttempts),
    jobs.map((job) => job.idempotencyKey),
    jobs.map((job) => job.uniqueKey),
    jobs.map((job) => job.parentId),
    jobs.map((job) => job.internal),
    jobs.map((job) => job.searchText),
    // Filters by time are ranges of ids.
    jobs.map((job) => timeOfUuid(job.id)),
    jobs.map((job) => job.scheduleId),
    jobs.map((job) => job.scheduledFor),
    jobs.flatMap((job) => job.uploadIds.map(() => job.id)),
    jobs.flatMap((job) => job.uploadIds),
  ];
}

const INSERT = prepared(
  'insert-jobs',
  `
  WITH capable AS MATERIALIZED (${CAPABLE_SQL}
  ), wanted AS (
    SELECT wanted.*, coalesce(run_at, now()) AS due_at,
           coalesce(run_at <= now(), true)
             AND EXISTS (SELECT 1 FROM queues WHERE name = wanted.queue AND paused_at IS NULL)
             AND EXISTS (SELECT 1 FROM capable WHERE capable.kind = wanted.kind AND wanted.version <= capable.version) AS issuable
    FROM unnest(${unseen('$2::uuid[]', '$3::uuid[]', '$4::text[]', '$5::int[]', '$6::text[]', '$7::smallint[]', '$8::jsonb[]', '$9::bytea[]', '$10::text[]', '$11::timestamptz[]', '$12::int[]', '$13::text[]', '$14::text[]', '$15::uuid[]', '$16::bool[]', '$17::text[]', '$18::timestamptz[]', '$19::uuid[]', '$20::timestamptz[]')})
      WITH ORDINALITY AS wanted (id, organization_id, kind, version, queue, level, input, input_hash, triggered_by, run_at,
                                 max_attempts, idempotency_key, unique_key, parent_id, internal, search_text,
                                 created_at, schedule_id, scheduled_for, ordinal)
  ), holder AS MATERIALIZED (
    SELECT holder.queue, holder.organization_id, level, window_room.*
    FROM (SELECT DISTINCT queue, organization_id, level FROM wanted WHERE issuable) AS holder
    CROSS JOIN LATERAL (${roomSql({ queue: 'holder.queue', window: '$1' })}) AS window_room
  ), named AS MATERIALIZED (
    SELECT DISTINCT wanted.organization_id, job_id, upload_id
    FROM unnest(${unseen('$21::uuid[]', '$22::uuid[]')}) AS named (job_id, upload_id) JOIN wanted ON wanted.id = job_id
  ), held AS MATERIALIZED (
    SELECT uploads.id FROM uploads
    WHERE (organization_id, id) IN (SELECT organization_id, upload_id FROM named) AND ${IS_KEPT}
    ORDER BY id FOR UPDATE
  ), placed AS (
    SELECT wanted.*, holder.room, holder.ahead + nth AS place
    FROM (SELECT wanted.*, row_number() OVER (PARTITION BY queue, organization_id, level, issuable ORDER BY ordinal) AS nth
          FROM wanted) AS wanted
    LEFT JOIN holder ON issuable AND holder.queue = wanted.queue AND holder.organization_id = wanted.organization_id
                        AND holder.level = wanted.level
    WHERE NOT EXISTS (SELECT 1 FROM named LEFT JOIN held ON held.id = upload_id
                      WHERE job_id = wanted.id AND held.id IS NULL)
  ), job AS (
    INSERT INTO jobs (id, organization_id, kind, version, queue, priority, input, input_hash, triggered_by, run_at, due_at,
                      max_attempts, idempotency_key, unique_key, parent_id, internal, search_text, created_at, schedule_id, scheduled_for, last_seq,
                      delivery, delivered_at, epoch, queue_job_id)
    SELECT id, organization_id, kind, version, queue, level, input, input_hash, triggered_by, run_at, due_at,
           max_attempts, idempotency_key, unique_key, parent_id, internal, search_text, created_at, schedule_id, scheduled_for, 1,
           CASE WHEN nth <= room THEN 1 ELSE 0 END, CASE WHEN nth <= room THEN now() END,
           CASE WHEN nth <= room THEN (SELECT epoch FROM queues WHERE name = placed.queue) END,
           CASE WHEN nth <= room THEN id || '-1' END
    FROM placed ORDER BY ordinal
    ON CONFLICT (organization_id, kind, unique_key)
      WHERE unique_key IS NOT NULL AND status IN ${LIVE_SQL} DO NOTHING
    RETURNING id, delivery
  ), event AS (
    INSERT INTO job_events (job_id, seq, type, attempt, status) SELECT id, 1, 'status', 0, 'pending' FROM job
  ), used AS (
    INSERT INTO job_uploads (organization_id, job_id, upload_id)
    SELECT organization_id, job_id, upload_id FROM named JOIN job ON job.id = job_id RETURNING upload_id
  ), kept AS (
    UPDATE uploads SET expires_at = NULL WHERE id IN (SELECT upload_id FROM used) AND expires_at IS NOT NULL
  )
  SELECT job.id, job.delivery, CASE WHEN job.delivery > 0 THEN ${placeSql('placed.place', '$1')} END AS place, now()::timestamptz(3) AS at
  FROM job JOIN placed USING (id)`,
);
