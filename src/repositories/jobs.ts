import type { Sql } from './db.ts';

export interface JobIdentity {
  readonly id: string;
  readonly inputHash: Buffer;
}

/** The live job that holds a unique key, if one does. */
export async function findLiveByUniqueKey(
  sql: Sql,
  organizationId: string,
  kind: string,
  uniqueKey: string,
): Promise<JobIdentity | null> {
  const { rows } = await sql.query<{ id: string; input_hash: Buffer }>(
    `SELECT id, input_hash FROM jobs
     WHERE organization_id = $1 AND kind = $2 AND unique_key = $3 AND status IN ('pending', 'running')`,
    [organizationId, kind, uniqueKey],
  );
  return rows[0] ? { id: rows[0].id, inputHash: rows[0].input_hash } : null;
}

/** The newest finished job with this very input that is not older than `maxAgeSeconds`. */
export async function findFreshResult(
  sql: Sql,
  organizationId: string,
  kind: string,
  inputHash: Buffer,
  maxAgeSeconds: number,
): Promise<string | null> {
  const { rows } = await sql.query<{ id: string }>(
    `SELECT id FROM jobs
     WHERE organization_id = $1 AND kind = $2 AND input_hash = $3
       AND status IN ('completed', 'completed_with_warnings')
       AND completed_at >= now() - make_interval(secs => $4)
     ORDER BY completed_at DESC LIMIT 1`,
    [organizationId, kind, inputHash, maxAgeSeconds],
  );
  return rows[0]?.id ?? null;
}

export interface RetryableJob {
  readonly id: string;
  readonly kind: string;
  readonly version: number;
  readonly status: string;
  readonly input: unknown;
  readonly hasRejectedRows: boolean;
}

/** A public job of the organization, with what a retry needs; null as for one that does not exist. */
export async function findForRetry(
  sql: Sql,
  organizationId: string,
  jobId: string,
): Promise<RetryableJob | null> {
  return (await findAllForRetry(sql, organizationId, [jobId]))[0] ?? null;
}

/** The same of many; those that do not exist are left out. */
export async function findAllForRetry(
  sql: Sql,
  organizationId: string,
  jobIds: readonly string[],
): Promise<RetryableJob[]> {
  const { rows } = await sql.query<RetryableJob>(
    `SELECT id, kind, version, status, input,
            EXISTS (SELECT 1 FROM stored_files f
                    WHERE f.organization_id = j.organization_id AND f.job_id = j.id AND f.role = 'rejected_rows') AS "hasRejectedRows"
     FROM jobs j WHERE organization_id = $1 AND id = ANY($2::uuid[]) AND NOT internal`,
    [organizationId, jobIds],
  );
  return rows;
}
