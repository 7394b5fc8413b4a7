import type { QueueName } from '../domain/job.ts';
import type { Sql } from './db.ts';

export interface QueueDepth {
  readonly queue: string;
  /** Pending in Postgres alone: not due yet, or behind its organization's window */
  readonly waiting: number;
  /** In the broker, and claimed by no worker yet */
  readonly delivered: number;
  readonly running: number;
}

/** Counts stop here: what matters beyond it is that there are many. */
export const DEPTH_MAX = 100_000;

/** How many jobs each queue holds, by one statement; each count stops at DEPTH_MAX. */
export async function readQueueDepths(sql: Sql): Promise<QueueDepth[]> {
  const { rows } = await sql.query<QueueDepth & Record<string, unknown>>(
    // Three partial indexes, and no more of each than is counted.
    `SELECT name AS queue,
       (SELECT count(*)::int FROM (SELECT 1 FROM jobs
          WHERE queue = name AND status = 'pending' AND delivered_at IS NULL LIMIT $1) AS counted) AS waiting,
       (SELECT count(*)::int FROM (SELECT 1 FROM jobs
          WHERE queue = name AND status = 'pending' AND delivered_at IS NOT NULL LIMIT $1) AS counted) AS delivered,
       coalesce(running.count, 0) AS running
     FROM queues
     LEFT JOIN (SELECT queue, count(*)::int AS count FROM jobs WHERE status = 'running' GROUP BY queue) AS running
       ON running.queue = name
     ORDER BY name`,
    [DEPTH_MAX],
  );
  return rows;
}

export interface UnclaimedDeliveries {
  readonly queue: QueueName;
  /** Age of the oldest, in ms */
  readonly oldestMs: number;
  /** Jobs of the queue that run, on any worker */
  readonly running: number;
}

/**
 * Which of `queues` have deliveries that the broker got longer than `seconds` ago and that no worker has claimed.
 * Paused queues have none, and deliveries of a broker that was lost since do not count.
 */
export async function findUnclaimed(
  sql: Sql,
  queues: readonly QueueName[],
  seconds: number,
): Promise<UnclaimedDeliveries[]> {
  const { rows } = await sql.query<{ queue: QueueName; oldest_ms: number; running: number }>(
    `SELECT name AS queue, oldest_ms::float8,
            (SELECT count(*)::int FROM jobs WHERE queue = name AND status = 'running') AS running
     FROM queues CROSS JOIN LATERAL (
       SELECT extract(epoch FROM now() - min(delivered_at)) * 1000 AS oldest_ms FROM jobs
       WHERE queue = name AND status = 'pending' AND delivered_at IS NOT NULL
         AND jobs.epoch IS NOT DISTINCT FROM queues.epoch) AS oldest
     WHERE name = ANY($1) AND paused_at IS NULL AND oldest_ms > $2 * 1000`,
    [queues, seconds],
  );
  return rows.map((row) => ({ queue: row.queue, oldestMs: row.oldest_ms, running: row.running }));
}
