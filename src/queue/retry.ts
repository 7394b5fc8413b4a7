import { UserFacingError, type UserError } from '../domain/errors.ts';
import { isSettled, JOB_STATUSES } from '../domain/job-status.ts';
import type { JobContract } from '../jobs/define.ts';
import type { Tx } from '../repositories/db.ts';
import { findForRetry, type RetryableJob } from '../repositories/jobs.ts';
import type { JobDeps } from './deps.ts';
import { startJob, startJobIn, type StartedJob, type StartOptions, type WrittenStart } from './start.ts';

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

/**
 * As `retryJob`, of a job that was read already and within a transaction of the caller's.
 * @throws UserFacingError for what keeps this job from being run again; nothing was written for it then
 */
export async function retryJobIn(
  tx: Tx,
  deps: JobDeps,
  job: RetryableJob,
  { organizationId, triggeredBy }: Pick<RetryRequest, 'organizationId' | 'triggeredBy'>,
): Promise<WrittenStart> {
  const contract = knownContract(deps, job.kind);
  const input = contract.input.safeParse(upgradedInput(contract, job));
  if (!input.success) {
    throw UserFacingError.of('INVALID', ['id'], 'Its input no longer fits what jobs of this kind take.');
  }
  return ofTheOldJob(() =>
    startJobIn(tx, deps, { organizationId, kind: contract.kind, input: input.data, triggeredBy }),
  );
}

async function find(
  deps: JobDeps,
  { organizationId, jobId }: RetryRequest,
): Promise<{ job: RetryableJob; contract: JobContract }> {
  const job = await findForRetry(deps.db, organizationId, jobId);
  if (!job) throw UserFacingError.of('NOT_FOUND', ['id'], 'There is no such job.');
  return { job, contract: knownContract(deps, job.kind) };
}

export function knownContract(deps: Pick<JobDeps, 'catalogue'>, kind: string): JobContract {
  const contract = contractOf(deps, kind);
  if (contract) return contract;
  throw UserFacingError.of('UNAVAILABLE', ['id'], 'This server no longer knows jobs of this kind.');
}

export function contractOf(deps: Pick<JobDeps, 'catalogue'>, kind: string): JobContract | undefined {
  return deps.catalogue[kind] ?? Object.values(deps.catalogue).find(({ aliases }) => aliases?.includes(kind));
}

/** A job's input in today's shape, however old the job is. */
function currentInput(contract: JobContract, job: RetryableJob): Record<string, unknown> {
  return contract.input.parse(upgradedInput(contract, job));
}

function upgradedInput(contract: JobContract, job: RetryableJob): unknown {
  return job.version < contract.version && contract.upgrade
    ? contract.upgrade(job.input, job.version)
    : job.input;
}

function start(
  deps: JobDeps,
  request: RetryRequest,
  contract: JobContract,
  input: unknown,
): Promise<StartedJob> {
  const { organizationId, triggeredBy, options } = request;
  return ofTheOldJob(() =>
    startJob(deps, { organizationId, kind: contract.kind, input, triggeredBy, options }),
  );
}

async function ofTheOldJob<T>(start: () => Promise<T>): Promise<T> {
  try {
    return await start();
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
