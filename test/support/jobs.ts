import type { Database } from '../../src/repositories/db.ts';
import { waitFor } from './wait.ts';

export interface JobRow {
  readonly id: string;
  readonly status: string;
  readonly attempt: number;
  readonly delivery: number;
  readonly error_code: string | null;
  readonly error_message: string | null;
  readonly result: unknown;
  readonly last_seq: number;
  readonly delivered_at: Date | null;
  readonly cancel_reason: string | null;
  readonly cancel_requested_by: string | null;
  readonly count_processed: number;
  readonly item_count: number;
}

export async function readJob(db: Database, id: string): Promise<JobRow> {
  const { rows } = await db.query<JobRow & Record<string, unknown>>('SELECT * FROM jobs WHERE id = $1', [id]);
  const [job] = rows;
  if (!job) throw new Error(`no job ${id}`);
  return job;
}

/** Waits until the job has one of the statuses. */
export function jobIn(
  db: Database,
  id: string,
  statuses: readonly string[],
  timeoutMs = 20_000,
): Promise<JobRow> {
  return waitFor(
    async () => {
      const job = await readJob(db, id);
      return statuses.includes(job.status) ? job : null;
    },
    { timeoutMs },
  );
}

export const SETTLED = ['completed', 'completed_with_warnings', 'failed', 'cancelled'];

export function settled(db: Database, id: string, timeoutMs?: number): Promise<JobRow> {
  return jobIn(db, id, SETTLED, timeoutMs);
}

/** The job's event log as short texts, checked to be numbered 1, 2, 3 … without holes. */
export async function eventsOf(db: Database, id: string): Promise<string[]> {
  const { rows } = await db.query<{ seq: number; type: string; status: string; message: string | null }>(
    'SELECT seq, type, status, message FROM job_events WHERE job_id = $1 ORDER BY seq',
    [id],
  );
  rows.forEach((row, index) => {
    if (row.seq !== index + 1) throw new Error(`event ${index + 1} of job ${id} has number ${row.seq}`);
  });
  return rows.map((row) => (row.type === 'status' ? row.status : `${row.type}: ${row.message ?? ''}`));
}
