import { newUuid } from '../../src/domain/ids.ts';
import type { JobEvent } from '../../src/domain/job.ts';
import { isSettled } from '../../src/domain/job-status.ts';
import type { Sql } from '../../src/repositories/db.ts';

/** A running job's row, written without the engine: for tests of what reads it. @returns its uuid */
export async function insertRawJob(sql: Sql, organizationId: string): Promise<string> {
  const id = newUuid();
  await sql.query(
    `INSERT INTO jobs (id, organization_id, kind, version, status, queue, input, input_hash, triggered_by, max_attempts)
     VALUES ($1, $2, 'product_import', 1, 'running', 'default', '{}', '\\x00', 'api:test', 5)`,
    [id, organizationId],
  );
  return id;
}

/** Numbers and writes an event as the engine does, and moves the job's status along. @returns it as it is stored */
export async function appendRawEvent(
  sql: Sql,
  jobId: string,
  event: Omit<JobEvent, 'seq' | 'at'>,
): Promise<JobEvent> {
  const { rows } = await sql.query<{ seq: number; at: Date }>(
    `WITH numbered AS (
       UPDATE jobs SET last_seq = last_seq + 1, status = $4, progress_percent = $5,
              completed_at = CASE WHEN $9 THEN now() END
        WHERE id = $1 RETURNING last_seq)
     INSERT INTO job_events (job_id, seq, type, attempt, status, progress_percent, message, level, error_code)
     SELECT $1, last_seq, $2, $3, $4, $5, $6, $7, $8 FROM numbered
     RETURNING seq, at`,
    [
      jobId,
      event.type,
      event.attempt,
      event.status,
      event.progressPercent,
      event.message,
      event.level,
      event.errorCode,
      isSettled(event.status),
    ],
  );
  const [row] = rows;
  if (!row) throw new Error(`no job ${jobId}`);
  return { ...event, ...row };
}
