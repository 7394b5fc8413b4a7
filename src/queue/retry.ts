import { UserFacingError, type UserError } from '../domain/errors.ts';
import { isSettled, JOB_STATUSES } from '../domain/job-status.ts';
import type { JobContract } from '../jobs/define.ts';
import { findForRetry, type RetryableJob } from '../repositories/jobs.ts';
import type { JobDeps } from './deps.ts';
import { startJob, type StartedJob, type StartOptions } from './start.ts';

export interface RetryRequest {
  readonly organizationId: string;
  readonly jobId: string;
  readonly triggeredBy: string;
  readonly options?: StartOptions | undefined;
}

/** A fresh run with the same input; the old job stays as it was. */
export async function retryJob(deps: JobDeps, request: RetryRequest): Promise<StartedJob> {
  const { job, contract } = await find(deps, request);
  return start(deps, request, contract, currentInput(contract, job));
}

/** A job over only the rows that failed, from the file of rejected rows. */
export async function retryFailedItems(deps: JobDeps, request: RetryRequest): Promise<StartedJob> {
  const { job, contract } = await find(deps, request);
  if (!contract.retryFailedItems) {
    throw UserFacingError.of('NOT_ALLOWED', ['id'], `"${contract.title}" keeps no list of failed rows.`);
  }
  const status = JOB_STATUSES.find((known) => known === job.status);
  if (!status || !isSettled(status))
    throw UserFacingError.of('CONFLICT', ['id'], 'The job is not finished yet.');
  if (!job.hasRejectedRows) throw UserFacingError.of('CONFLICT', ['id'], 'No row of this job failed.');
  return start(deps, request, contract, contract.retryFailedItems(currentInput(contract, job), job.id));
}

async function find(
  deps: JobDeps,
  { organizationId, jobId }: RetryRequest,
): Promise<{ job: RetryableJob; contract: JobContract }> {
  const job = await findForRetry(deps.db, organizationId, jobId);
  if (!job) throw UserFacingError.of('NOT_FOUND', ['id'], 'There is no such job.');
  const contract = contractOf(deps, job.kind);
  if (!contract)
    throw UserFacingError.of('UNAVAILABLE', ['id'], 'This server no longer knows jobs of this kind.');
  return { job, contract };
}

export function contractOf(deps: JobDeps, kind: string): JobContract | undefined {
  return deps.catalogue[kind] ?? Object.values(deps.catalogue).find(({ aliases }) => aliases?.includes(kind));
}

/** A job's input in today's shape, however old the job is. */
function currentInput(contract: JobContract, job: RetryableJob): Record<string, unknown> {
  const upgraded =
    job.version < contract.version && contract.upgrade ? contract.upgrade(job.input, job.version) : job.input;
  return contract.input.parse(upgraded);
}

async function start(
  deps: JobDeps,
  request: RetryRequest,
  contract: JobContract,
  input: unknown,
): Promise<StartedJob> {
  const { organizationId, triggeredBy, options } = request;
  try {
    return await startJob(deps, { organizationId, kind: contract.kind, input, triggeredBy, options });
  } catch (error) {
    if (error instanceof UserFacingError) throw new UserFacingError(error.errors.map(asErrorOfTheOldJob));
    throw error;
  }
}

/** The caller gave no input: what is wrong with the old one is told of the job, and a source that is gone has expired. */
export function asErrorOfTheOldJob(error: UserError): UserError {
  if (error.field?.[0] !== 'input') return error;
  return { ...error, field: ['id'], code: error.code === 'NOT_FOUND' ? 'EXPIRED' : error.code };
}
