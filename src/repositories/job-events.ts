import { z } from 'zod';
import { JOB_ERROR_CODES } from '../domain/errors.ts';
import type { JobEvent } from '../domain/job.ts';
import { JOB_STATUSES } from '../domain/job-status.ts';

/** An event that has no number yet: the statement that moves the job numbers it. */
export interface NewJobEvent {
  readonly type: JobEvent['type'];
  readonly message: string | null;
  readonly level?: JobEvent['level'];
  readonly progressPercent?: number | null;
}

/** One row of job_events as `to_jsonb` gives it. */
const eventRow = z
  .object({
    seq: z.int(),
    at: z.coerce.date(),
    type: z.enum(['status', 'progress', 'log', 'warning']),
    attempt: z.int(),
    status: z.enum(JOB_STATUSES),
    progress_percent: z.int().nullable(),
    message: z.string().nullable(),
    level: z.enum(['debug', 'info', 'warn', 'error']).nullable(),
    error_code: z.enum(JOB_ERROR_CODES).nullable().catch('INTERNAL'),
  })
  .transform(({ progress_percent: progressPercent, error_code: errorCode, ...rest }): JobEvent => ({
    ...rest,
    progressPercent,
    errorCode,
  }));

/** Parses what the statements of job repositories return as `events jsonb`, in the order of their numbers. */
export const writtenEvents = z
  .array(eventRow)
  .nullable()
  .transform((events) => (events ?? []).toSorted((a, b) => a.seq - b.seq));

/** What happened to a job: for the announcement after the commit. */
export interface JobNews {
  readonly organizationId: string;
  readonly jobId: string;
  readonly events: readonly JobEvent[];
}

interface StatusChange {
  readonly organizationId: string;
  readonly jobId: string;
  readonly seq: number;
  readonly at: Date;
  readonly attempt: number;
  readonly status: JobEvent['status'];
  readonly progressPercent?: number | null;
  readonly message?: string | null;
  readonly errorCode?: JobEvent['errorCode'];
}

/** The news of one STATUS event, from what the statement that wrote it returned. */
export function statusNews({ organizationId, jobId, ...event }: StatusChange): JobNews {
  const whole = { progressPercent: null, message: null, errorCode: null, ...event };
  return { organizationId, jobId, events: [{ ...whole, type: 'status', level: null }] };
}
