import type { NotifyDeps } from '../../src/notify/deps.ts';
import { sendDueDigests } from '../../src/notify/digests.ts';
import { tellOfEndedJobs } from '../../src/notify/ended-jobs.ts';
import { failAbandonedDeliveries } from '../../src/repositories/webhook-deliveries.ts';

/**
 * Tells people of jobs that ended, and sends the digests that are due. Nothing wakes it: a worker that listened for
 * ends would have to read every event of every job.
 */
export async function notify(deps: NotifyDeps, signal: AbortSignal): Promise<void> {
  await tellOfEndedJobs(deps, signal);
  await sendDueDigests(deps);
}

const ABANDONED_BATCH = 500;

/** A delivery must not wait for a job that has ended. */
export async function endAbandonedDeliveries({ db }: Pick<NotifyDeps, 'db'>): Promise<void> {
  await failAbandonedDeliveries(db, ABANDONED_BATCH);
}
