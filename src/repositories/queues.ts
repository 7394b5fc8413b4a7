import type { QueueName } from '../domain/job.ts';
import type { PublicQueueName, QueueState } from '../domain/queue.ts';
import type { Sql } from './db.ts';

/** Makes the rows of queues that have none yet. */
export async function ensureQueues(sql: Sql, names: readonly QueueName[]): Promise<void> {
  await sql.query('INSERT INTO queues (name) SELECT unnest($1::text[]) ON CONFLICT DO NOTHING', [names]);
}

/** The epoch of each queue's broker contents; null before the first. */
export async function readEpochs(sql: Sql): Promise<Map<string, string | null>> {
  const { rows } = await sql.query<{ name: string; epoch: string | null }>('SELECT name, epoch FROM queues');
  return new Map(rows.map((row) => [row.name, row.epoch]));
}

/** Of several workers that saw an epoch end, one wins. @returns whether this one did */
export async function replaceEpoch(
  sql: Sql,
  queue: QueueName,
  from: string | null,
  to: string,
): Promise<boolean> {
  const { rowCount } = await sql.query(
    'UPDATE queues SET epoch = $3 WHERE name = $1 AND epoch IS NOT DISTINCT FROM $2::uuid',
    [queue, from, to],
  );
  return rowCount === 1;
}

/** What an operator has set for a queue. */
export interface QueueSettings {
  readonly paused: boolean;
  /** Per worker process; null: the process' own default */
  readonly concurrency: number | null;
}

export async function readQueueSettings(sql: Sql): Promise<Map<string, QueueSettings>> {
  const { rows } = await sql.query<{ name: string; paused: boolean; concurrency: number | null }>(
    'SELECT name, paused_at IS NOT NULL AS paused, concurrency FROM queues',
  );
  return new Map(rows.map(({ name, ...settings }) => [name, settings]));
}

/** A queue as operators see it. */
export interface QueueRow {
  readonly name: PublicQueueName;
  readonly state: QueueState;
  /** When it was paused or its drain began */
  readonly pausedAt: Date | null;
  readonly pausedBy: string | null;
  readonly pauseReason: string | null;
  /** Per worker process; null: the process' own default */
  readonly concurrency: number | null;
  readonly changedAt: Date | null;
  readonly changedBy: string | null;
}

/** Read only for a queue that drains: what still runs of it, of all organizations, and what is still out. */
const COLUMNS = `
  name, paused_at AS "pausedAt", paused_by AS "pausedBy", pause_reason AS "pauseReason", concurrency,
  changed_at AS "changedAt", changed_by AS "changedBy",
  CASE WHEN paused_at IS NULL THEN 'active' WHEN NOT draining THEN 'paused'
       WHEN EXISTS (SELECT 1 FROM jobs WHERE status = 'running' AND jobs.queue = queues.name)
         OR EXISTS (SELECT 1 FROM jobs WHERE status = 'pending' AND delivered_at IS NOT NULL AND jobs.queue = queues.name)
       THEN 'draining' ELSE 'drained' END AS state`;

/** In the order of `names`. */
export async function readQueues(sql: Sql, names: readonly PublicQueueName[]): Promise<QueueRow[]> {
  const { rows } = await sql.query<QueueRow & Record<string, unknown>>(
    `SELECT ${COLUMNS} FROM queues WHERE name = ANY($1) ORDER BY array_position($1::text[], name)`,
    [names],
  );
  return rows;
}

export interface Hold {
  /** Also take back what was handed to the broker */
  readonly draining: boolean;
  /** Who asks, as in `triggeredBy` */
  readonly by: string;
  readonly reason: string | null;
}

/** Stops a queue for all workers: from the commit on nothing of it is delivered or claimed. The last reason stands. */
export async function holdQueue(sql: Sql, name: PublicQueueName, hold: Hold): Promise<void> {
  await sql.query(
    `UPDATE queues SET paused_at = coalesce(paused_at, now()), draining = $2, paused_by = $3, pause_reason = $4,
                       changed_at = now(), changed_by = $3 WHERE name = $1`,
    [name, hold.draining, hold.by, hold.reason],
  );
}

/** Lets a held queue go on; nothing changes where it is active. */
export async function releaseQueue(sql: Sql, name: PublicQueueName, by: string): Promise<void> {
  await sql.query(
    `UPDATE queues SET paused_at = NULL, draining = false, paused_by = NULL, pause_reason = NULL,
                       changed_at = now(), changed_by = $2 WHERE name = $1 AND paused_at IS NOT NULL`,
    [name, by],
  );
}

/** @param concurrency per worker process; null: each process' own default */
export async function resizeQueue(
  sql: Sql,
  name: PublicQueueName,
  concurrency: number | null,
  by: string,
): Promise<void> {
  await sql.query(
    `UPDATE queues SET concurrency = $2, changed_at = now(), changed_by = $3
     WHERE name = $1 AND concurrency IS DISTINCT FROM $2::int`,
    [name, concurrency, by],
  );
}
