import type { QueueName } from '../domain/job.ts';
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
