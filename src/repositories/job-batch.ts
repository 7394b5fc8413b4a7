import { JOB_PRIORITIES } from '../domain/job.ts';
import type { Sql } from './db.ts';
import type { NewJob } from './jobs.ts';

/** Writes many pending jobs with their first events by one statement. They have neither idempotency nor unique keys. */
export async function insertJobs(sql: Sql, jobs: readonly NewJob[]): Promise<void> {
  if (jobs.length === 0) return;
  const rows = jobs.map(({ inputHash, priority, runAt, ...job }) => ({
    ...job,
    inputHash: inputHash.toString('hex'),
    priority: JOB_PRIORITIES[priority],
    runAt: runAt?.toISOString() ?? null,
  }));
  await sql.query(
    `WITH job AS (
       INSERT INTO jobs (id, organization_id, kind, version, queue, priority, input, input_hash, triggered_by, run_at,
                         due_at, max_attempts, parent_id, internal, search_text, last_seq)
       SELECT id, "organizationId", kind, version, queue, priority, input, decode("inputHash", 'hex'), "triggeredBy",
              "runAt", coalesce("runAt", now()), "maxAttempts", "parentId", internal, "searchText", 1
       FROM jsonb_to_recordset($1::jsonb) AS given
         (id uuid, "organizationId" uuid, kind text, version int, queue text, priority smallint, input jsonb,
          "inputHash" text, "triggeredBy" text, "runAt" timestamptz, "maxAttempts" int, "parentId" uuid,
          internal boolean, "searchText" text)
       RETURNING id
     )
     INSERT INTO job_events (job_id, seq, type, attempt, status) SELECT id, 1, 'status', 0, 'pending' FROM job`,
    [JSON.stringify(rows)],
  );
}
