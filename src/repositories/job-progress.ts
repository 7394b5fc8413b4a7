import type { JobCounts } from '../domain/job.ts';
import type { Sql } from './db.ts';

/** How far a job has come, as its last batch left it; null before the first. */
export async function readCheckpoint(sql: Sql, jobId: string): Promise<unknown> {
  const { rows } = await sql.query<{ cursor: unknown }>(
    'SELECT cursor FROM job_checkpoints WHERE job_id = $1',
    [jobId],
  );
  return rows[0]?.cursor ?? null;
}

export async function writeCheckpoint(sql: Sql, jobId: string, cursorJson: string): Promise<void> {
  await sql.query(
    `INSERT INTO job_checkpoints (job_id, cursor) VALUES ($1, $2)
     ON CONFLICT (job_id) DO UPDATE SET cursor = excluded.cursor, updated_at = now()`,
    [jobId, cursorJson],
  );
}

/** What a step of the job returned in this or an earlier attempt; undefined when it has not run. */
export async function readStep(
  sql: Sql,
  jobId: string,
  name: string,
): Promise<{ result: unknown } | undefined> {
  const { rows } = await sql.query<{ result: unknown }>(
    'SELECT result FROM job_steps WHERE job_id = $1 AND name = $2',
    [jobId, name],
  );
  return rows[0];
}

export async function writeStep(sql: Sql, jobId: string, name: string, resultJson: string): Promise<void> {
  await sql.query('INSERT INTO job_steps (job_id, name, result) VALUES ($1, $2, $3)', [
    jobId,
    name,
    resultJson,
  ]);
}

export async function readCounts(sql: Sql, jobId: string): Promise<JobCounts> {
  const { rows } = await sql.query<{
    total: number | null;
    processed: number;
    succeeded: number;
    warned: number;
    failed: number;
  }>(
    `SELECT count_total AS total, count_processed AS processed, count_succeeded AS succeeded,
            count_warned AS warned, count_failed AS failed FROM jobs WHERE id = $1`,
    [jobId],
  );
  return rows[0] ?? { total: null, processed: 0, succeeded: 0, warned: 0, failed: 0 };
}
