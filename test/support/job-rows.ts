import type { Database } from '../../src/repositories/db.ts';
import { firstUuidAt, newUuid, toPublicId } from '../../src/domain/ids.ts';

export interface SeededJob {
  readonly uuid: string;
  /** As clients know it */
  readonly id: string;
}

interface JobColumns {
  readonly status: string;
  readonly kind: string;
  readonly queue: string;
  readonly input: object;
  readonly result: object | null;
  readonly triggered_by: string;
  readonly parent_id: string | null;
  readonly internal: boolean;
  readonly search_text: string;
  readonly attempt: number;
  readonly created_at: Date;
}

/** Writes a job as the engine would, without an engine: for what only reads jobs. */
export async function seedJob(
  db: Database,
  organizationId: string,
  columns: Partial<JobColumns> = {},
): Promise<SeededJob> {
  const uuid = columns.created_at ? uuidAt(columns.created_at) : newUuid();
  const row: JobColumns = {
    status: 'completed',
    kind: 'product_import',
    queue: 'long_running',
    input: { source: { uploadId: newUuid() }, format: 'auto', dryRun: false },
    result: null,
    triggered_by: 'api:test',
    parent_id: null,
    internal: false,
    search_text: '',
    attempt: 0,
    created_at: new Date(),
    ...columns,
  };
  await db.query(
    `INSERT INTO jobs (id, organization_id, kind, version, status, queue, input, input_hash, result, triggered_by,
                       max_attempts, parent_id, internal, search_text, attempt, created_at, completed_at)
     VALUES ($1, $2, $3, 1, $4::job_status, $5, $6, '\\x00', $7, $8, 5, $9, $10, $11, $12, $13, $14)`,
    [
      uuid,
      organizationId,
      row.kind,
      row.status,
      row.queue,
      JSON.stringify(row.input),
      row.result === null ? null : JSON.stringify(row.result),
      row.triggered_by,
      row.parent_id,
      row.internal,
      row.search_text,
      row.attempt,
      row.created_at,
      ['pending', 'running'].includes(row.status) ? null : new Date(),
    ],
  );
  return { uuid, id: toPublicId('job', uuid) };
}

interface ManyJobs {
  readonly count: number;
  readonly status: string;
  readonly kind: string;
  readonly triggered_by?: string;
  /** Input and search text of the nth job, from 1 */
  readonly input?: (n: number) => object;
  readonly search_text?: (n: number) => string;
  /** Not before this long from now, in seconds; default 0 */
  readonly due_in?: number;
}

/** Many jobs by one statement, each newer than the one before. @returns their uuids, oldest first */
export async function seedJobs(db: Database, organizationId: string, jobs: ManyJobs): Promise<string[]> {
  const ids = Array.from({ length: jobs.count }, () => newUuid());
  const each = (of: (n: number) => string) => ids.map((_, index) => of(index + 1));
  await db.query(
    `INSERT INTO jobs (id, organization_id, kind, version, status, queue, input, input_hash, triggered_by, max_attempts,
                       completed_at, due_at, search_text)
     SELECT id, $1, $2, 1, $3::job_status, 'default', input::jsonb, sha256(input::bytea), $4, 3,
            CASE WHEN $3 IN ('pending', 'running') THEN NULL ELSE now() END, now() + $5 * interval '1 second', text
     FROM unnest($6::uuid[], $7::text[], $8::text[]) AS many (id, input, text)`,
    [
      organizationId,
      jobs.kind,
      jobs.status,
      jobs.triggered_by ?? 'api:test',
      jobs.due_in ?? 0,
      ids,
      each((n) => JSON.stringify(jobs.input?.(n) ?? {})),
      each((n) => jobs.search_text?.(n) ?? ''),
    ],
  );
  return ids;
}

/** An id as the engine makes it at a time: its first 48 bits tell the millisecond. */
function uuidAt(time: Date): string {
  return firstUuidAt(time).slice(0, 14) + newUuid().slice(14);
}

/** `count` events, the first telling that the job runs and the last that it has `status`. */
export async function seedEvents(db: Database, job: SeededJob, count: number, status: string): Promise<void> {
  await db.query(
    `INSERT INTO job_events (job_id, seq, type, attempt, status, progress_percent, message)
     SELECT $1, n, CASE WHEN n IN (1, $2) THEN 'status' ELSE 'progress' END::job_event_type, 1,
            CASE WHEN n = $2 THEN $3 ELSE 'running' END::job_status, n * 100 / $2, 'event ' || n
     FROM generate_series(1, $2::int) AS n`,
    [job.uuid, count, status],
  );
  await db.query(
    `UPDATE jobs SET last_seq = $2, status = $3::job_status, status_changed_at = now(),
            completed_at = CASE WHEN $3 IN ('pending', 'running') THEN NULL ELSE now() END WHERE id = $1`,
    [job.uuid, count, status],
  );
}

/** The next event of a job, which tells that it has `status` now. */
export async function addEvent(db: Database, job: SeededJob, seq: number, status: string): Promise<void> {
  await db.query(
    `INSERT INTO job_events (job_id, seq, type, attempt, status) VALUES ($1, $2, 'status', 1, $3::job_status)`,
    [job.uuid, seq, status],
  );
  await db.query(
    `UPDATE jobs SET last_seq = $2, status = $3::job_status, status_changed_at = now(),
            completed_at = CASE WHEN $3 = 'running' THEN NULL ELSE now() END WHERE id = $1`,
    [job.uuid, seq, status],
  );
}

/** `warned` and then `failed` lines of the ledger. */
export async function seedItems(
  db: Database,
  job: SeededJob,
  { warned, failed }: { warned: number; failed: number },
): Promise<void> {
  await db.query(
    `INSERT INTO job_items (job_id, ordinal, "row", "column", value, code, message, outcome)
     SELECT $1, n, n + 1, 'Price', 'x', 'NOT_A_NUMBER', 'Expected a number, got "x".',
            CASE WHEN n <= $2 THEN 'warned' ELSE 'failed' END::job_item_outcome
     FROM generate_series(1, $2::int + $3::int) AS n`,
    [job.uuid, warned, failed],
  );
  await db.query('UPDATE jobs SET item_count = $2, count_warned = $3, count_failed = $4 WHERE id = $1', [
    job.uuid,
    warned + failed,
    warned,
    failed,
  ]);
}
