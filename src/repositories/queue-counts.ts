import type { Sql } from './db.ts';

/** Live jobs of one organization in one queue, each number counted up to a bound. */
export interface QueueCounts {
  /** Due and not handed to the broker yet */
  readonly due: number;
  /** Not due yet */
  readonly delayed: number;
  /** Handed to the broker and not begun */
  readonly delivered: number;
  readonly running: number;
}

/**
 * One range of the dispatcher's index per priority: due jobs are not read to find those that are not. The order is the
 * index's own: without it the planner, who does not know the queue's name, takes the whole table for a short way to the
 * limit where most jobs wait, and reads all of it for a queue that is empty.
 */
const undelivered = (due: string): string => `
  SELECT count(*)::int AS count FROM (
    SELECT 1 FROM (VALUES (1), (2), (3)) AS priority (value)
    CROSS JOIN LATERAL (
      SELECT 1 FROM jobs
      WHERE queue = wanted.name AND organization_id = $2 AND status = 'pending' AND delivered_at IS NULL
        AND jobs.priority = priority.value AND due_at ${due}
      ORDER BY queue, organization_id, jobs.priority, due_at LIMIT $3) AS job
    LIMIT $3) AS bounded`;

/** Counts several queues by one statement; no number is counted beyond `max`. */
export async function countQueues(
  sql: Sql,
  organizationId: string,
  queues: readonly string[],
  max: number,
): Promise<Map<string, QueueCounts>> {
  const { rows } = await sql.query<QueueCounts & { name: string }>(
    `SELECT wanted.name, due.count AS due, delayed.count AS delayed, delivered.count AS delivered, running.count AS running
     FROM unnest($1::text[]) AS wanted (name)
     CROSS JOIN LATERAL (${undelivered('<= now()')}) AS due
     CROSS JOIN LATERAL (${undelivered('> now()')}) AS delayed
     CROSS JOIN LATERAL (
       SELECT count(*)::int AS count FROM (
         SELECT 1 FROM jobs WHERE queue = wanted.name AND organization_id = $2
           AND status = 'pending' AND delivered_at IS NOT NULL
         ORDER BY queue, organization_id, delivered_at LIMIT $3) AS bounded) AS delivered
     CROSS JOIN LATERAL (
       SELECT count(*)::int AS count FROM (
         SELECT 1 FROM jobs WHERE organization_id = $2 AND status = 'running' AND queue = wanted.name
         ORDER BY organization_id, status, id LIMIT $3) AS bounded) AS running`,
    [[...new Set(queues)], organizationId, max],
  );
  return new Map(rows.map(({ name, ...counts }) => [name, counts]));
}
