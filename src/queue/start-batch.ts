import type { JobCatalogue } from '../jobs/define.ts';
import type { Tx } from '../repositories/db.ts';
import { insertJobs } from '../repositories/job-inserts.ts';
import { announce } from './announce.ts';
import { deliverSoon } from './deliver.ts';
import { START_WINDOW, type JobDeps } from './deps.ts';
import { checkStart, type StartRequest } from './new-job.ts';

/** A window without room: nothing is issued before the caller's commit. */
const LEFT_TO_THE_DISPATCHER = 0;

/** One job among many. */
export type BatchedStart = Pick<
  StartRequest,
  'organizationId' | 'kind' | 'input' | 'triggeredBy' | 'parentId'
>;

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

/**
 * Writes jobs that people follow by one statement, within the caller's transaction. One whose unique key a live job has
 * is left out. @returns what to do once the transaction has committed; it never throws
 */
export async function startTogetherIn(
  tx: Tx,
  deps: JobDeps,
  requests: readonly BatchedStart[],
): Promise<() => Promise<void>> {
  const jobs = requests.map((request) => checkStart(deps.catalogue, request).job);
  const inserted = await insertJobs(tx, jobs, START_WINDOW);
  const written = jobs.flatMap((job, index) => {
    const row = inserted[index];
    return row ? [{ job, row }] : [];
  });
  return async () => {
    announce(deps.bus, ...written.map(({ row }) => row.news));
    for (const { job } of written) deps.onStarted?.(job.kind);
    await Promise.all(
      written.flatMap(({ job, row }) => (row.issued ? [deliverSoon(deps, job.queue, row.issued)] : [])),
    );
  };
}
