import { z } from 'zod';
import { toJobErrorCode } from '../domain/job-event.ts';
import type { JobEvent } from '../domain/job.ts';
import { JOB_STATUSES, SETTLED_STATUSES } from '../domain/job-status.ts';
import type { Sql } from './db.ts';

const eventRow = z.object({
  seq: z.int(),
  at: z.date(),
  type: z.enum(['status', 'progress', 'log', 'warning']),
  attempt: z.int(),
  status: z.enum(JOB_STATUSES),
  progressPercent: z.int().nullable(),
  message: z.string().nullable(),
  level: z.enum(['debug', 'info', 'warn', 'error']).nullable(),
  errorCode: z.string().nullable().transform(toJobErrorCode),
});

const headRow = z.object({ id: z.uuid(), lastSeq: z.int(), settled: z.boolean(), revision: z.string() });

const READ_EVENTS = `
  SELECT seq, at, type, attempt, status, progress_percent AS "progressPercent", message, level,
         error_code AS "errorCode"
    FROM job_events
   WHERE job_id = $1 AND seq > $2
   ORDER BY seq
   LIMIT $3`;

/** The revision covers what people watch and what may change without a numbered event. */
const LAST_SEQS = `
  SELECT id, last_seq AS "lastSeq", status = ANY ($2::job_status[]) AS settled,
         md5(ROW (status, attempt, delivery, progress_percent, progress_message, count_total, count_processed,
                  count_succeeded, count_warned, count_failed, cancel_requested_at, next_attempt_at)::text) AS revision
    FROM jobs
   WHERE id = ANY ($1::uuid[])`;

/** What streams read when the bus has nothing or too little; by primary keys only. */
export interface JobLog {
  /** Events with a seq above `after`, in order, at most `limit` */
  readEvents(jobId: string, after: number, limit: number): Promise<readonly JobEvent[]>;
  /** Of the jobs that exist: seq of the newest event, whether nothing more will come, and a mark of what is shown */
  lastSeqs(
    jobIds: readonly string[],
  ): Promise<
    ReadonlyMap<string, { readonly lastSeq: number; readonly settled: boolean; readonly revision: string }>
  >;
}

export function createJobLogReader(db: Sql): JobLog {
  return {
    async readEvents(jobId, after, limit) {
      const { rows } = await db.query(READ_EVENTS, [jobId, after, limit]);
      return z.array(eventRow).parse(rows);
    },
    async lastSeqs(jobIds) {
      const { rows } = await db.query(LAST_SEQS, [jobIds, SETTLED_STATUSES]);
      return new Map(
        z
          .array(headRow)
          .parse(rows)
          .map(({ id, ...head }) => [id, head]),
      );
    },
  };
}
