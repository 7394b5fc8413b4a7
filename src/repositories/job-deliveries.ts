import type { QueueName } from '../domain/job.ts';
import { CAPABLE_SQL, placeSql, roomSql } from './admission.ts';
import type { Sql } from './db.ts';

/** A delivery that Postgres has issued and the broker is to carry. */
export interface IssuedDelivery {
  readonly jobId: string;
  readonly delivery: number;
  /** Place in the organization's window, 1 first */
  readonly place: number;
}

interface IssueRow {
  id: string;
  delivery: number;
  place: number;
}

/**
 * Issues due jobs of a queue, each organization up to its window, by priority and oldest first. Every issue raises
 * the fence, so an older delivery that still floats about is dropped when it is claimed.
 * @param window deliveries per organization that may wait in the broker at once
 * @param limit most deliveries of this call
 */
export async function issueDueDeliveries(
  sql: Sql,
  queue: QueueName,
  window: number,
  limit: number,
): Promise<IssuedDelivery[]> {
  const { rows } = await sql.query<IssueRow>(ISSUE_DUE, [queue, window, limit]);
  return rows.map(({ id: jobId, delivery, place }) => ({ jobId, delivery, place }));
}

// The first part walks the partial index from organization to organization instead of reading every row.
const ISSUE_DUE = `
  WITH RECURSIVE capable AS MATERIALIZED (${CAPABLE_SQL}
  ), holder AS (
    (SELECT organization_id FROM jobs
     WHERE queue = $1 AND status = 'pending' AND delivered_at IS NULL ORDER BY organization_id LIMIT 1)
    UNION ALL
    SELECT (SELECT organization_id FROM jobs
            WHERE queue = $1 AND status = 'pending' AND delivered_at IS NULL
              AND organization_id > holder.organization_id ORDER BY organization_id LIMIT 1)
    FROM holder WHERE holder.organization_id IS NOT NULL
  ), picked AS (
    SELECT due.id, window_room.ahead + row_number() OVER (PARTITION BY holder.organization_id, level
                                                          ORDER BY due.due_at, due.id) AS place
    FROM holder
    CROSS JOIN (VALUES (1), (2), (3)) AS levels (level)
    CROSS JOIN LATERAL (${roomSql({ queue: '$1', window: '$2' })}) AS window_room
    CROSS JOIN LATERAL (
      SELECT id, due_at FROM jobs
      WHERE queue = $1 AND organization_id = holder.organization_id AND priority = level
        AND status = 'pending' AND delivered_at IS NULL AND due_at <= now()
        AND EXISTS (SELECT 1 FROM capable WHERE capable.kind = jobs.kind AND jobs.version <= capable.version)
      ORDER BY due_at, id
      LIMIT window_room.room
      FOR UPDATE SKIP LOCKED) AS due
    WHERE holder.organization_id IS NOT NULL
      AND EXISTS (SELECT 1 FROM queues WHERE name = $1 AND paused_at IS NULL)
    LIMIT $3
  )
  UPDATE jobs SET delivery = delivery + 1, delivered_at = now(),
                  epoch = (SELECT epoch FROM queues WHERE name = $1),
                  queue_job_id = jobs.id || '-' || (delivery + 1)
  FROM picked WHERE jobs.id = picked.id
  RETURNING jobs.id, jobs.delivery, ${placeSql('picked.place', '$2')} AS place`;

/** Lets deliveries be issued anew that the broker did not take; those that were issued again or claimed stay. */
export async function takeBackDeliveries(sql: Sql, issued: readonly UnclaimedDelivery[]): Promise<void> {
  await sql.query(
    `UPDATE jobs SET delivered_at = NULL
     FROM unnest($1::uuid[], $2::int[]) AS issued (id, delivery)
     WHERE jobs.id = issued.id AND jobs.delivery = issued.delivery AND status = 'pending'`,
    [issued.map(({ jobId }) => jobId), issued.map(({ delivery }) => delivery)],
  );
}

/** Lets the deliveries of a lost broker be issued anew: those that were added under another epoch than today's. */
export async function takeBackLostEpochs(sql: Sql, queue: QueueName): Promise<number> {
  const { rowCount } = await sql.query(
    `UPDATE jobs SET delivered_at = NULL
     WHERE id IN (SELECT jobs.id FROM jobs JOIN queues ON queues.name = jobs.queue
                  WHERE jobs.queue = $1 AND status = 'pending' AND delivered_at IS NOT NULL
                    AND jobs.epoch IS DISTINCT FROM queues.epoch
                  ORDER BY jobs.id FOR UPDATE OF jobs SKIP LOCKED)`,
    [queue],
  );
  return rowCount ?? 0;
}

/** A delivery that Postgres has issued and no worker has claimed. */
export type UnclaimedDelivery = Omit<IssuedDelivery, 'place'>;

/** A page of a queue's unclaimed deliveries that are older than `seconds`, by job id. */
export async function listUnclaimed(
  sql: Sql,
  queue: QueueName,
  seconds: number,
  page: { readonly after: string; readonly limit: number },
): Promise<UnclaimedDelivery[]> {
  const { rows } = await sql.query<{ id: string; delivery: number }>(
    `SELECT id, delivery FROM jobs
     WHERE queue = $1 AND status = 'pending' AND delivered_at < now() - make_interval(secs => $2) AND id > $3
     ORDER BY id LIMIT $4`,
    [queue, seconds, page.after, page.limit],
  );
  return rows.map(({ id: jobId, delivery }) => ({ jobId, delivery }));
}

/** Takes back, of queues that drain, what was delivered and not begun: at most `limit` of each. @returns how many */
export async function takeBackDraining(sql: Sql, limit: number): Promise<number> {
  const { rowCount } = await sql.query(
    `UPDATE jobs SET delivered_at = NULL
     WHERE id IN (SELECT out.id FROM queues
                  CROSS JOIN LATERAL (SELECT id FROM jobs
                                      WHERE queue = queues.name AND status = 'pending' AND delivered_at IS NOT NULL
                                      ORDER BY queue, organization_id, delivered_at
                                      LIMIT $1 FOR UPDATE SKIP LOCKED) AS out
                  WHERE queues.draining)`,
    [limit],
  );
  return rowCount ?? 0;
}

/**
 * What the broker must hold of a queue: deliveries older than `seconds` that nobody has claimed, and those whose attempts
 * run, unless they came before its contents were lost.
 */
export async function countOut(sql: Sql, queue: QueueName, seconds: number): Promise<number> {
  const { rows } = await sql.query<{ count: number }>(
    `SELECT (SELECT count(*) FROM jobs
             WHERE queue = $1 AND status = 'pending' AND delivered_at < now() - make_interval(secs => $2))::int
          + (SELECT count(*) FROM jobs
             WHERE queue = $1 AND status = 'running' AND delivered_at < now() - make_interval(secs => $2)
               AND epoch = (SELECT epoch FROM queues WHERE name = $1))::int AS count`,
    [queue, seconds],
  );
  return rows[0]?.count ?? 0;
}
