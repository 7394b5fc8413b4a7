import type { Sql } from './db.ts';

interface ScheduleJobPage {
  readonly organizationId: string;
  readonly first: number;
  /** Only jobs that are older than this one; null: from the newest */
  readonly before: string | null;
}

/** Ids of the newest jobs of several schedules by one statement, newest first. */
export async function readScheduleJobIds(
  sql: Sql,
  scheduleIds: readonly string[],
  { organizationId, before, first }: ScheduleJobPage,
): Promise<Map<string, string[]>> {
  const { rows } = await sql.query<{ scheduleId: string; ids: string[] }>(
    `SELECT wanted.id AS "scheduleId", array_agg(started.id ORDER BY started.id DESC) AS ids
     FROM unnest($1::uuid[]) AS wanted (id)
     CROSS JOIN LATERAL (
       SELECT id FROM jobs
       WHERE organization_id = $2 AND schedule_id = wanted.id AND ($3::uuid IS NULL OR id < $3)
       ORDER BY id DESC LIMIT $4
     ) AS started
     GROUP BY wanted.id`,
    [[...new Set(scheduleIds)], organizationId, before, first],
  );
  return new Map(rows.map(({ scheduleId, ids }) => [scheduleId, ids]));
}

/** Number of each schedule's jobs, counted up to `max` each. */
export async function countScheduleJobs(
  sql: Sql,
  scheduleIds: readonly string[],
  { organizationId, max }: { readonly organizationId: string; readonly max: number },
): Promise<Map<string, number>> {
  const { rows } = await sql.query<{ scheduleId: string; count: number }>(
    `SELECT wanted.id AS "scheduleId", started.count
     FROM unnest($1::uuid[]) AS wanted (id)
     CROSS JOIN LATERAL (
       SELECT count(*)::int AS count FROM (
         SELECT 1 FROM jobs WHERE organization_id = $2 AND schedule_id = wanted.id LIMIT $3
       ) AS bounded
     ) AS started`,
    [[...new Set(scheduleIds)], organizationId, max],
  );
  return new Map(rows.map(({ scheduleId, count }) => [scheduleId, count]));
}
