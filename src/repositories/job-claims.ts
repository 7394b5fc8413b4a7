import { QUEUE_NAMES, type JobCounts, type QueueName } from '../domain/job.ts';
import type { Sql } from './db.ts';
import { statusNews, type JobNews } from './job-events.ts';
import { lockedJob } from './job-lock.ts';
import { mayMove } from './job-moves.ts';
import { prepared, unseen } from './prepared.ts';

/** A job as an attempt gets it. */
export interface ClaimedJob {
  readonly id: string;
  readonly delivery: number;
  readonly kind: string;
  readonly version: number;
  readonly attempt: number;
  readonly maxAttempts: number;
  readonly input: unknown;
  /** As earlier attempts left them */
  readonly counts: JobCounts;
  readonly organization: { readonly id: string; readonly timeZone: string; readonly currency: string };
  readonly news: JobNews;
}

/** Kinds that a worker can run, each with its newest version. */
export type Capabilities = Readonly<Record<string, number>>;

/** Who claims. */
export interface Claimant {
  readonly id: string;
  readonly name: string;
  readonly capabilities: Capabilities;
}

/** A delivery as the broker handed it over. */
export interface DeliveryRef {
  readonly jobId: string;
  readonly delivery: number;
}

interface ClaimRow {
  id: string;
  delivery: number;
  kind: string;
  version: number;
  attempt: number;
  max_attempts: number;
  input: unknown;
  count_total: number | null;
  count_processed: number;
  count_succeeded: number;
  count_warned: number;
  count_failed: number;
  organization_id: string;
  time_zone: string;
  currency: string;
  last_seq: number;
  progress_percent: number | null;
  at: Date;
}

/**
 * Begins attempts of those deliveries that are still their jobs' newest and wait, all by one statement.
 * @returns in the order of `deliveries`; null for one that is old or doubled, or whose job was cancelled, paused or is
 * of a kind or version that this worker does not know
 */
export async function claimDeliveries(
  sql: Sql,
  claimant: Claimant,
  deliveries: readonly DeliveryRef[],
): Promise<(ClaimedJob | null)[]> {
  const { rows } = await sql.query<ClaimRow>(CLAIM, [
    deliveries.map(({ jobId }) => jobId),
    deliveries.map(({ delivery }) => delivery),
    claimant.id,
    claimant.name,
    JSON.stringify(claimant.capabilities),
  ]);
  const claimed = new Map(rows.map((row) => [row.id, row]));
  return deliveries.map(({ jobId, delivery }) => {
    const row = claimed.get(jobId);
    if (row?.delivery !== delivery) return null;
    // A delivery that came twice in one batch is claimed once.
    claimed.delete(jobId);
    return toClaimed(row);
  });
}

const CLAIM = prepared(
  'claim',
  `
  WITH held AS (
    SELECT jobs.id
    FROM (SELECT * FROM unnest(${unseen('$1::uuid[]', '$2::int[]')}) AS wanted (id, delivery) ORDER BY id) AS wanted
    CROSS JOIN LATERAL (${lockedJob('wanted.id')}) AS jobs
    WHERE jobs.delivery = wanted.delivery AND ${mayMove('claimed', 'jobs.status')}
      AND jobs.version <= ($5::jsonb ->> jobs.kind)::int
      AND NOT EXISTS (SELECT 1 FROM queues WHERE name = jobs.queue AND paused_at IS NOT NULL)
  ), claimed AS (
    UPDATE jobs SET status = 'running', attempt = attempt + 1, worker_id = $3, started_at = coalesce(started_at, now()),
                    next_attempt_at = NULL, waiting_for = NULL, status_changed_at = now(), last_seq = last_seq + 1
    FROM held WHERE jobs.id = held.id
    RETURNING jobs.*
  ), attempt AS (
    INSERT INTO job_attempts (job_id, delivery, number, worker) SELECT id, delivery, attempt, $4 FROM claimed
  ), event AS (
    INSERT INTO job_events (job_id, seq, type, attempt, status, progress_percent)
    SELECT id, last_seq, 'status', attempt, 'running', progress_percent FROM claimed
  )
  SELECT claimed.id, delivery, kind, version, attempt, max_attempts, input, count_total, count_processed, count_succeeded,
         count_warned, count_failed, organization_id, organizations.time_zone, organizations.currency, last_seq,
         progress_percent, now()::timestamptz(3) AS at
  FROM claimed JOIN organizations ON organizations.id = claimed.organization_id`,
);

function toClaimed(row: ClaimRow): ClaimedJob {
  return {
    id: row.id,
    delivery: row.delivery,
    kind: row.kind,
    version: row.version,
    attempt: row.attempt,
    maxAttempts: row.max_attempts,
    input: row.input,
    counts: {
      total: row.count_total,
      processed: row.count_processed,
      succeeded: row.count_succeeded,
      warned: row.count_warned,
      failed: row.count_failed,
    },
    organization: { id: row.organization_id, timeZone: row.time_zone, currency: row.currency },
    news: statusNews({
      organizationId: row.organization_id,
      jobId: row.id,
      seq: row.last_seq,
      at: row.at,
      attempt: row.attempt,
      status: 'running',
      progressPercent: row.progress_percent,
    }),
  };
}

/**
 * Wrong catches go back without using an attempt: what a worker does not know later and later (0.1 s at first, twice as
 * much after each eight, at most 30 s), what stands in a paused queue as it was. Where releases work side by side, every
 * other catch may be wrong: steps of a whole second made jobs wait for 20 s.
 * @returns the queues that they came from
 */
export async function giveBack(sql: Sql, deliveries: readonly DeliveryRef[]): Promise<QueueName[]> {
  const { rows } = await sql.query<{ queue: string }>(
    `UPDATE jobs SET delivered_at = NULL,
            due_at = CASE WHEN EXISTS (SELECT 1 FROM queues WHERE name = jobs.queue AND paused_at IS NOT NULL) THEN due_at
                          ELSE now() + least(30, 0.1 * power(2, least(jobs.delivery, 80) / 8.0)) * interval '1 second' END
     WHERE id IN (SELECT jobs.id FROM unnest($1::uuid[], $2::int[]) AS wanted (id, delivery)
                  JOIN jobs ON jobs.id = wanted.id AND jobs.delivery = wanted.delivery
                  WHERE jobs.status = 'pending' ORDER BY jobs.id FOR UPDATE OF jobs)
     RETURNING queue`,
    [deliveries.map(({ jobId }) => jobId), deliveries.map(({ delivery }) => delivery)],
  );
  return QUEUE_NAMES.filter((name) => rows.some(({ queue }) => queue === name));
}
