import type { Sql } from './db.ts';

/** The system's own jobs tell nobody anything after a day. */
const INTERNAL_DAYS = 1;
/** Of one organization in one batch: a backlog of one does not hold up the others. */
const PER_ORGANIZATION = 50;
/** A job's own row and what always comes with it, beside its events and ledger. */
const ROWS_PER_JOB = 10;

export interface PruneLimits {
  readonly jobs: number;
  /** Of jobs, events and ledgers together; one job may be more by itself and then goes alone */
  readonly rows: number;
}

export interface PrunedJobs {
  readonly jobs: number;
  /** Events and ledger lines that went with them */
  readonly rows: number;
  /** Stored files whose bytes are to be removed now */
  readonly files: number;
}

/**
 * A settled job goes with its events, ledger, attempts, marks and files, but never before its children, which would
 * lose their parent, and never while its parent is at work, which may still read it. As plain values, one look-up each:
 * as EXISTS the planner may join them, and read all jobs for it.
 */
const MAY_GO = `
  coalesce((SELECT false FROM jobs AS child
            WHERE child.organization_id = jobs.organization_id AND child.parent_id = jobs.id LIMIT 1), true)
  AND coalesce((SELECT parent.completed_at IS NOT NULL FROM jobs AS parent WHERE parent.id = jobs.parent_id), true)`;

const COLUMNS = `id, organization_id, completed_at, last_seq + item_count + ${ROWS_PER_JOB} AS weight`;

const DUE_BY_POLICY = `
  SELECT due.* FROM (SELECT id, job_retention_days FROM organizations
                     WHERE job_retention_days IS NOT NULL ORDER BY random()) AS organization
  CROSS JOIN LATERAL (
    SELECT ${COLUMNS} FROM jobs
    WHERE organization_id = organization.id AND NOT internal
      AND completed_at < now() - make_interval(days => organization.job_retention_days) AND ${MAY_GO}
    ORDER BY completed_at LIMIT ${PER_ORGANIZATION} FOR UPDATE SKIP LOCKED) AS due
  LIMIT $1`;

const DUE_INTERNAL = `
  SELECT ${COLUMNS} FROM jobs
  WHERE internal AND completed_at < now() - interval '${INTERNAL_DAYS} day' AND ${MAY_GO}
  ORDER BY completed_at LIMIT $1 FOR UPDATE SKIP LOCKED`;

/** The rows go and the removal of their bytes is written down in one statement: no file leaks and no row points to nothing. */
const remove = (due: string): string => `
  WITH due AS MATERIALIZED (${due}
  ), picked AS MATERIALIZED (
    SELECT id, organization_id FROM (
      SELECT *, sum(weight) OVER (ORDER BY completed_at, id) - weight AS before FROM due) AS weighed
    WHERE before < $2
  ), file AS (
    INSERT INTO storage_removals (storage_key)
    SELECT DISTINCT storage_key FROM picked JOIN stored_files ON stored_files.organization_id = picked.organization_id
                                                    AND stored_files.job_id = picked.id
    ON CONFLICT (storage_key) DO UPDATE SET due_at = excluded.due_at RETURNING 1
  ), source AS MATERIALIZED (
    SELECT uploads.id FROM uploads
    WHERE uploads.id IN (SELECT upload_id FROM job_uploads JOIN picked ON job_uploads.job_id = picked.id)
    ORDER BY uploads.id FOR UPDATE
  ), released AS (
    -- Whether another job still names it is asked when it is looked at, after this has committed.
    UPDATE uploads SET expires_at = now() FROM source WHERE uploads.id = source.id
  ), gone AS (
    DELETE FROM jobs USING picked WHERE jobs.id = picked.id RETURNING last_seq + item_count AS rows
  )
  SELECT count(*)::int AS jobs, coalesce(sum(rows), 0)::int AS rows, (SELECT count(*)::int FROM file) AS files FROM gone`;

const BY_POLICY = remove(DUE_BY_POLICY);
const INTERNAL = remove(DUE_INTERNAL);

/** One batch of the jobs that are older than their organization keeps them. */
export function pruneJobs(sql: Sql, limits: PruneLimits): Promise<PrunedJobs> {
  return prune(sql, BY_POLICY, limits);
}

/** One batch of the system's own jobs that are older than a day. */
export function pruneInternalJobs(sql: Sql, limits: PruneLimits): Promise<PrunedJobs> {
  return prune(sql, INTERNAL, limits);
}

async function prune(sql: Sql, statement: string, limits: PruneLimits): Promise<PrunedJobs> {
  const { rows } = await sql.query<{ jobs: number; rows: number; files: number }>(statement, [
    limits.jobs,
    limits.rows,
  ]);
  return rows[0] ?? { jobs: 0, rows: 0, files: 0 };
}
