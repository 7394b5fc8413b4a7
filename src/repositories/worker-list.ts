import { z } from 'zod';
import type { Sql } from './db.ts';

const workerRow = z.object({
  id: z.uuid(),
  name: z.string(),
  kinds: z.record(z.string(), z.int()),
  queues: z.array(z.string()),
  startedAt: z.date(),
  beatAt: z.date(),
  stoppedAt: z.date().nullable(),
  state: z.enum(['alive', 'stopped', 'lost']),
});

/** A worker process, live or gone for less than a day. */
export type WorkerRow = Readonly<z.infer<typeof workerRow>>;

/** Workers that went are shown for so long. */
const SHOWN = `interval '1 day'`;
const QUEUE_WORKERS_MAX = 100;

/** Beats of another second than the rescuer's: what has not beaten for so long gets no deliveries either. */
const ALIVE = `beat_at > now() - interval '15 seconds'`;

const LIVE = `
  SELECT id, name, kinds, queues, started_at AS "startedAt", beat_at AS "beatAt", NULL::timestamptz AS "stoppedAt",
         CASE WHEN ${ALIVE} THEN 'alive' ELSE 'lost' END AS state
  FROM workers`;

/** A worker that was taken for dead and beats again has a row in both tables. */
const GONE = `
  SELECT id, name, kinds, queues, started_at, beat_at, stopped_at, CASE WHEN lost THEN 'lost' ELSE 'stopped' END
  FROM stopped_workers
  WHERE stopped_at > now() - ${SHOWN} AND NOT EXISTS (SELECT 1 FROM workers WHERE workers.id = stopped_workers.id)`;

export interface WorkerPage {
  readonly first: number;
  /** Only workers that are older than this one; null: from the newest */
  readonly before: string | null;
  /** Only live ones, or only those that are not; null: all */
  readonly alive: boolean | null;
}

/** Worker processes, newest first. */
export async function readWorkers(sql: Sql, page: WorkerPage): Promise<WorkerRow[]> {
  const { rows } = await sql.query(
    `SELECT * FROM (${LIVE} UNION ALL ${GONE}) AS worker
     WHERE ($2::uuid IS NULL OR id < $2) AND ($3::bool IS NULL OR (state = 'alive') = $3) ORDER BY id DESC LIMIT $1`,
    [page.first, page.before, page.alive],
  );
  return z.array(workerRow).parse(rows);
}

/** Number of workers, counted up to `max`. */
export async function countWorkers(sql: Sql, alive: boolean | null, max: number): Promise<number> {
  const { rows } = await sql.query<{ count: number }>(
    `SELECT count(*)::int AS count FROM (
       SELECT 1 FROM (${LIVE} UNION ALL ${GONE}) AS worker WHERE $1::bool IS NULL OR (state = 'alive') = $1 LIMIT $2) AS bounded`,
    [alive, max],
  );
  return rows[0]?.count ?? 0;
}

export async function findWorker(sql: Sql, id: string): Promise<WorkerRow | null> {
  const { rows } = await sql.query(`SELECT * FROM (${LIVE} UNION ALL ${GONE}) AS worker WHERE id = $1`, [id]);
  return rows[0] ? workerRow.parse(rows[0]) : null;
}

/** Live workers of each queue, the newest 100, by one statement. */
export async function workersOfQueues(
  sql: Sql,
  queues: readonly string[],
): Promise<Map<string, WorkerRow[]>> {
  const { rows } = await sql.query(
    `SELECT wanted.queue, worker.* FROM unnest($1::text[]) AS wanted (queue)
     CROSS JOIN LATERAL (${LIVE} WHERE wanted.queue = ANY(queues) AND ${ALIVE} ORDER BY id DESC LIMIT ${QUEUE_WORKERS_MAX}) AS worker`,
    [[...new Set(queues)]],
  );
  const found = z.array(workerRow.extend({ queue: z.string() })).parse(rows);
  return new Map(queues.map((queue) => [queue, found.filter((row) => row.queue === queue)]));
}

/** Attempts that each worker runs just now, of all organizations. */
export async function countRunning(sql: Sql, workerIds: readonly string[]): Promise<Map<string, number>> {
  const { rows } = await sql.query<{ id: string; count: number }>(
    `SELECT worker_id AS id, count(*)::int AS count FROM jobs
     WHERE status = 'running' AND worker_id = ANY($1) GROUP BY worker_id`,
    [[...new Set(workerIds)]],
  );
  return new Map(rows.map(({ id, count }) => [id, count]));
}

/** Removes at most `limit` workers that went long ago. @returns how many */
export async function pruneStoppedWorkers(sql: Sql, limit: number): Promise<number> {
  const { rowCount } = await sql.query(
    `DELETE FROM stopped_workers WHERE id IN (
       SELECT id FROM stopped_workers WHERE stopped_at <= now() - ${SHOWN}
       ORDER BY stopped_at LIMIT $1 FOR UPDATE SKIP LOCKED)`,
    [limit],
  );
  return rowCount ?? 0;
}
