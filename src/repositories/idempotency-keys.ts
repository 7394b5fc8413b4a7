import type { Sql } from './db.ts';

/** Keys are kept this long. */
export const IDEMPOTENCY_KEY_HOURS = 24;

export interface KeyHolder {
  readonly jobId: string;
  readonly inputHash: Buffer;
}

/**
 * Takes a key for a job that the same transaction inserts. A parallel start with the same key waits here for that
 * transaction's end. @returns the job that has the key already, or null when it is ours now
 */
export async function takeKey(
  sql: Sql,
  organizationId: string,
  key: string,
  job: KeyHolder,
): Promise<KeyHolder | null> {
  const taken = await sql.query(
    `INSERT INTO idempotency_keys AS k (organization_id, key, input_hash, job_id, expires_at)
     VALUES ($1, $2, $3, $4, now() + make_interval(hours => $5))
     ON CONFLICT (organization_id, key) DO UPDATE
       SET input_hash = excluded.input_hash, job_id = excluded.job_id, expires_at = excluded.expires_at
       WHERE k.expires_at < now()
     RETURNING 1`,
    [organizationId, key, job.inputHash, job.jobId, IDEMPOTENCY_KEY_HOURS],
  );
  if (taken.rowCount === 1) return null;
  const { rows } = await sql.query<{ job_id: string; input_hash: Buffer }>(
    'SELECT job_id, input_hash FROM idempotency_keys WHERE organization_id = $1 AND key = $2',
    [organizationId, key],
  );
  const [holder] = rows;
  if (!holder) throw new Error(`idempotency key is neither free nor taken: ${key}`);
  return { jobId: holder.job_id, inputHash: holder.input_hash };
}

/** Whether a key was taken within the last 24 hours. */
export async function isKeyTaken(sql: Sql, organizationId: string, key: string): Promise<boolean> {
  const { rowCount } = await sql.query(
    'SELECT 1 FROM idempotency_keys WHERE organization_id = $1 AND key = $2 AND expires_at >= now()',
    [organizationId, key],
  );
  return rowCount === 1;
}

/** Points a key that this transaction took at the job that was found instead of a new one. */
export async function pointKeyAt(
  sql: Sql,
  organizationId: string,
  key: string,
  jobId: string,
): Promise<void> {
  await sql.query('UPDATE idempotency_keys SET job_id = $3 WHERE organization_id = $1 AND key = $2', [
    organizationId,
    key,
    jobId,
  ]);
}

/** Removes at most `limit` keys that are out of date. @returns how many */
export async function pruneKeys(sql: Sql, limit: number): Promise<number> {
  const { rowCount } = await sql.query(
    `DELETE FROM idempotency_keys WHERE (organization_id, key) IN (
       SELECT organization_id, key FROM idempotency_keys WHERE expires_at < now() LIMIT $1 FOR UPDATE SKIP LOCKED)`,
    [limit],
  );
  return rowCount ?? 0;
}
