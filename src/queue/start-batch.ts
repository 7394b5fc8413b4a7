import type { JobCatalogue } from '../jobs/define.ts';
import type { Tx } from '../repositories/db.ts';
import { insertJobs } from '../repositories/job-inserts.ts';
import { checkStart, type StartRequest } from './new-job.ts';

/** A window without room: nothing is issued before the caller's commit. */
const LEFT_TO_THE_DISPATCHER = 0;

/** One of the system's own jobs, among many. */
export type BatchedStart = Pick<StartRequest, 'organizationId' | 'kind' | 'input' | 'triggeredBy'>;

/**
 * Writes many of the system's own jobs by one statement, within the caller's transaction. Nobody follows those, so they
 * are not announced: the dispatcher finds them. @returns their ids, in the order of the requests
 */
export async function startBatchIn(
  tx: Tx,
  catalogue: JobCatalogue,
  requests: readonly BatchedStart[],
): Promise<string[]> {
  const jobs = requests.map((request) => checkStart(catalogue, request).job);
  const wrong = jobs.find(({ internal, uniqueKey }) => !internal || uniqueKey !== null);
  if (wrong) throw new Error(`${wrong.kind} cannot be started in a batch`);
  await insertJobs(tx, jobs, LEFT_TO_THE_DISPATCHER);
  return jobs.map(({ id }) => id);
}
