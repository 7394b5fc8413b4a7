import { JOB_ERROR_CODES, type JobErrorCode as ErrorCode } from '../../domain/errors.ts';
import type { JobStatus as Status } from '../../domain/job-status.ts';
import type { JobPriority as Priority } from '../../domain/job.ts';
import { jobCatalogue } from '../../jobs/index.ts';
import { builder } from '../builder.ts';

/** Values that are stored in lower case and shown in upper case; one that is missing does not compile. */
type Upper<Stored extends string> = {
  readonly [V in Stored as Uppercase<V>]: { readonly value: V; readonly description: string };
};

export const JobStatus = builder.enumType('JobStatus', {
  description: 'Where a job stands. COMPLETED and after are settled: nothing leaves them.',
  values: {
    PENDING: { value: 'pending', description: 'Waits: `pendingReason` tells for what' },
    RUNNING: { value: 'running', description: 'A worker is at it' },
    COMPLETED: { value: 'completed', description: 'Done, nothing to complain about' },
    COMPLETED_WITH_WARNINGS: {
      value: 'completed_with_warnings',
      description: 'Done, but `items` lists what warned or failed',
    },
    FAILED: {
      value: 'failed',
      description: 'Ended without a result: `errorCode` and `errorMessage` tell why',
    },
    CANCELLED: { value: 'cancelled', description: 'Ended because somebody asked for it' },
  } as const satisfies Upper<Status>,
});

export const JobKind = builder.enumType('JobKind', {
  description: "Kinds that the API shows; the system's own are not among them.",
  values: Object.fromEntries(
    Object.values(jobCatalogue).map(({ kind, title }) => [
      kind.toUpperCase(),
      { value: kind, description: title },
    ]),
  ),
});

const ERROR_DESCRIPTIONS: { readonly [C in ErrorCode]: string } = {
  INTERNAL: 'A defect on our side',
  TIMEOUT: 'It took longer than its kind may take',
  ATTEMPTS_EXHAUSTED: 'Its workers were lost too often',
  INVALID_FILE: 'The file cannot be read as what it should be',
  ALL_ROWS_REJECTED: 'Not one row was right',
  SOURCE_EXPIRED: 'What it should read is no longer kept',
  PROVIDER_AUTH: 'The provider refuses the credentials',
  PROVIDER_FORBIDDEN: 'The provider does not allow it to this account',
  PROVIDER_UNAVAILABLE: 'The provider does not answer, or not in time',
  PROVIDER_REJECTED: 'The provider refuses the request',
  CHILD_FAILED: 'A job that it waited for failed',
};

export const JobErrorCode = builder.enumType('JobErrorCode', {
  description: 'Why a job or an attempt failed; more codes may come.',
  values: Object.fromEntries(
    JOB_ERROR_CODES.map((code) => [code, { value: code, description: ERROR_DESCRIPTIONS[code] }]),
  ),
});

export const JobPriority = builder.enumType('JobPriority', {
  description: "A job's place among the organization's waiting jobs of its queue.",
  values: {
    HIGH: { value: 'HIGH', description: 'Before the others' },
    NORMAL: { value: 'NORMAL', description: 'Oldest first' },
    LOW: { value: 'LOW', description: 'After the others' },
  } as const satisfies { readonly [P in Priority]: { readonly value: P; readonly description: string } },
});

/** A stored code as the enum knows it: a code of a newer release shows as INTERNAL, never as an error. */
export function errorCodeOf(stored: string | null): ErrorCode | null {
  return stored === null ? null : (JOB_ERROR_CODES.find((code) => code === stored) ?? 'INTERNAL');
}
