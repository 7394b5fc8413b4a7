import { startBatchIn } from '../queue/start-batch.ts';
import { closeDueDigests } from '../repositories/notices.ts';
import type { NotifyDeps } from './deps.ts';
import { mailJob } from './ended-jobs.ts';
import { deliverEvents, digestEvent } from './webhook-events.ts';

const BATCH = 100;

/** Sends the digests whose time is over: one mail or one event for all that they stand for. */
export async function sendDueDigests({ db, catalogue }: NotifyDeps): Promise<void> {
  await db.transaction(async (tx) => {
    const digests = await closeDueDigests(tx, BATCH);
    const mails = digests.filter(({ email }) => email);
    await startBatchIn(
      tx,
      catalogue,
      mails.map(({ organizationId, id }) => mailJob(organizationId, id)),
    );
    await deliverEvents(tx, catalogue, digests.filter(({ userId }) => userId === null).map(digestEvent));
  });
}
