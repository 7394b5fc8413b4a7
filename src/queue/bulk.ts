import { UserFacingError } from '../domain/errors.ts';
import { isSettled, JOB_STATUSES, type JobStatus } from '../domain/job-status.ts';
import { bulkOperation, type BulkAction, type StoredFilter } from '../jobs/bulk-operation.ts';
import { storedNames, type JobCatalogue } from '../jobs/define.ts';
import { isKeyTaken } from '../repositories/idempotency-keys.ts';
import { countJobs } from '../repositories/job-counts.ts';
import type { JobFilter } from '../repositories/job-filter.ts';
import type { JobDeps } from './deps.ts';
import { startJob, type StartedJob, type StartOptions } from './start.ts';

/** One operation is for so many jobs at most: they are counted before it starts. */
export const BULK_JOBS_MAX = 1_000_000;
/** The expected count may be off by this part of it. */
const TOLERANCE = 0.05;

export interface BulkRequest {
  readonly organizationId: string;
  readonly action: BulkAction;
  readonly filter: StoredFilter;
  /** What the caller believes to match: of all statuses, or of those that the action touches */
  readonly expectedCount: number;
  readonly reason: string | null;
  readonly triggeredBy: string;
  readonly options?: StartOptions | undefined;
}

/**
 * Starts the job that cancels or retries what matches.
 * @throws UserFacingError INVALID for a filter that says nothing, CONFLICT for a count that is off by more than 5 %,
 * LIMIT_REACHED where too much matches to be counted
 */
export async function startBulk(deps: JobDeps, request: BulkRequest): Promise<StartedJob> {
  const { organizationId, action, filter, expectedCount, reason, triggeredBy, options } = request;
  checkNotEmpty(filter);
  if (expectedCount < 0) {
    throw UserFacingError.of('INVALID', ['expectedCount'], `Expected 0 or more, got ${expectedCount}.`);
  }
  const key = options?.idempotencyKey;
  // The same call again gets its job back, when there is nothing left that matches.
  if (!key || !(await isKeyTaken(deps.db, organizationId, key))) await checkCount(deps, request);
  const input = { action, filter, expectedCount, reason, requestedBy: triggeredBy };
  return startJob(deps, { organizationId, kind: bulkOperation.kind, input, triggeredBy, options });
}

/** @throws UserFacingError for a filter that says nothing */
export function checkNotEmpty(filter: StoredFilter): void {
  if (Object.keys(filter).length > 0) return;
  throw UserFacingError.of('INVALID', ['filter'], 'Expected a condition: an empty filter would match all.');
}

async function checkCount(deps: JobDeps, request: BulkRequest): Promise<void> {
  const { action, filter: stored, organizationId, expectedCount } = request;
  const filter = bulkFilter(deps.catalogue, organizationId, stored);
  const count = await countJobs(deps.db, touchedBy(action, filter), BULK_JOBS_MAX);
  if (count === null) {
    throw UserFacingError.of(
      'LIMIT_REACHED',
      ['filter'],
      `More match than the ${BULK_JOBS_MAX.toLocaleString('en')} jobs of one operation, or the search is too broad to be counted. Narrow the filter.`,
    );
  }
  if (count > 0 && isNear(expectedCount, count)) return;
  const all = count > 0 ? await countJobs(deps.db, filter, BULK_JOBS_MAX) : null;
  if (all !== null && isNear(expectedCount, all)) return;
  const touched = action === 'cancel' ? 'can be cancelled' : 'can be retried';
  throw UserFacingError.of(
    'CONFLICT',
    ['expectedCount'],
    `Expected ${expectedCount} jobs, but ${count} of those that match ${touched}. Look at them again.`,
  );
}

function isNear(expected: number, actual: number): boolean {
  return Math.abs(actual - expected) <= expected * TOLERANCE;
}

/** Which jobs a stored filter means. Bulk operations are none of them: they would end one another. */
export function bulkFilter(catalogue: JobCatalogue, organizationId: string, stored: StoredFilter): JobFilter {
  const { kinds, statuses, queues, triggeredBy, createdAfter, createdBefore, parentId, search } = stored;
  const wanted = kinds?.map((kind) => kind.toLowerCase()) ?? null;
  return {
    organizationId,
    kinds: storedNames(catalogue, wanted).filter((name) => name !== bulkOperation.kind),
    isEveryKind: false,
    statuses: statuses ?? null,
    queues: queues ?? null,
    triggeredBy: triggeredBy ?? null,
    createdAfter: createdAfter === undefined ? null : new Date(createdAfter),
    createdBefore: createdBefore === undefined ? null : new Date(createdBefore),
    parentId: parentId ?? null,
    search: search ?? null,
  };
}

/** Of what a filter matches, what an action can be done to: cancelled is what lives, retried what is settled. */
export function touchedBy(action: BulkAction, filter: JobFilter): JobFilter {
  const isTouched = (status: JobStatus) => isSettled(status) === (action === 'retry');
  return { ...filter, statuses: (filter.statuses ?? JOB_STATUSES).filter(isTouched) };
}
