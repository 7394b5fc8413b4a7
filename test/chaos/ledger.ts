import type { Sql } from '../../src/repositories/db.ts';
import type { FoundEffects, FoundJob } from './verdict.ts';

/** The ledger of effects: what jobs write, with nothing that would hide a double. */
export async function createLedger(sql: Sql): Promise<void> {
  await sql.query('CREATE TABLE effects (job_id uuid NOT NULL, row int NOT NULL)');
}

/** The jobs of one load, found by the keys they were started with: also those whose start nobody heard of. */
export async function findJobs(sql: Sql, prefix: string): Promise<FoundJob[]> {
  const { rows } = await sql.query<FoundJob & { completedAtMs: number | null }>(
    `SELECT id AS "jobId", idempotency_key AS "idempotencyKey", status::text, last_seq AS "lastSeq",
            (extract(epoch FROM completed_at) * 1000)::float8 AS "completedAtMs"
     FROM jobs WHERE idempotency_key LIKE $1 || '-%'`,
    [prefix],
  );
  return rows;
}

export async function findEffects(sql: Sql, jobIds: readonly string[]): Promise<FoundEffects[]> {
  const { rows } = await sql.query<FoundEffects>(
    `SELECT job_id AS "jobId", count(*)::int AS rows, count(DISTINCT row)::int AS "distinctRows"
     FROM effects WHERE job_id = ANY($1::uuid[]) GROUP BY job_id`,
    [jobIds],
  );
  return rows;
}

/** Of one load: not yet settled */
export async function countUnsettled(sql: Sql, prefix: string): Promise<number> {
  return countOf(
    sql,
    `SELECT count(*)::int AS count FROM jobs
     WHERE idempotency_key LIKE $1 || '-%' AND status IN ('pending', 'running')`,
    [prefix],
  );
}

export async function countSettled(sql: Sql, prefix: string): Promise<number> {
  return countOf(
    sql,
    `SELECT count(*)::int AS count FROM jobs
     WHERE idempotency_key LIKE $1 || '-%' AND status NOT IN ('pending', 'running')`,
    [prefix],
  );
}

export async function statusOf(sql: Sql, jobId: string): Promise<string | null> {
  const { rows } = await sql.query<{ status: string }>('SELECT status::text FROM jobs WHERE id = $1', [
    jobId,
  ]);
  return rows[0]?.status ?? null;
}

/** Jobs that a process runs just now. */
export async function jobsRunningOn(sql: Sql, pid: number): Promise<string[]> {
  const { rows } = await sql.query<{ job_id: string }>(
    `SELECT job_id FROM job_attempts JOIN jobs ON jobs.id = job_id
     WHERE ended_at IS NULL AND jobs.status = 'running' AND worker LIKE '%:' || $1::text`,
    [String(pid)],
  );
  return rows.map(({ job_id }) => job_id);
}

/** Of these jobs: those that wait for another attempt than that worker's, and when the last of the others got it */
export async function takeovers(
  sql: Sql,
  jobIds: readonly string[],
  pid: number,
): Promise<{ readonly waiting: number; readonly lastMs: number | null }> {
  const { rows } = await sql.query<{ waiting: number; lastMs: number | null }>(
    `SELECT count(*) FILTER (WHERE next IS NULL AND status IN ('pending', 'running'))::int AS waiting,
            (extract(epoch FROM max(next)) * 1000)::float8 AS "lastMs"
     FROM (SELECT status, (SELECT max(started_at) FROM job_attempts
                           WHERE job_id = jobs.id AND worker NOT LIKE '%:' || $2::text) AS next
           FROM jobs WHERE id = ANY($1::uuid[])) AS taken`,
    [jobIds, String(pid)],
  );
  return rows[0] ?? { waiting: 0, lastMs: null };
}

async function countOf(sql: Sql, text: string, values: readonly unknown[]): Promise<number> {
  const { rows } = await sql.query<{ count: number }>(text, values);
  return rows[0]?.count ?? 0;
}
