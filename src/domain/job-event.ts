import { JOB_ERROR_CODES, type JobErrorCode } from './errors.ts';
import type { JobEvent } from './job.ts';
import { isSettled } from './job-status.ts';

/** The event that settles its job: nothing comes after it. */
export function isTerminal(event: Pick<JobEvent, 'type' | 'status'>): boolean {
  return event.type === 'status' && isSettled(event.status);
}

/** A code as this version knows it: one that a newer version wrote reads as INTERNAL. */
export function toJobErrorCode(code: string | null): JobErrorCode | null {
  if (code === null) return null;
  return JOB_ERROR_CODES.find((known) => known === code) ?? 'INTERNAL';
}
