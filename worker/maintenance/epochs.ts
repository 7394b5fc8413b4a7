import type { QueueName } from '../../src/domain/job.ts';
import { countIssued, takeBackLostEpochs, takeBackOlderThan } from '../../src/repositories/job-deliveries.ts';
import { readEpochs, replaceEpoch } from '../../src/repositories/queues.ts';
import type { DispatchDeps } from './dispatch.ts';

/** Deliveries younger than this may be on their way: counts are compared without them. */
const SETTLED_DELIVERY_SECONDS = 30;

/**
 * Looks whether the broker still holds the sentinel of each queue. Where it does not, the broker has lost its
 * contents: a new sentinel is planted, and what was delivered under the old one is issued again.
 */
export async function checkEpochs(deps: DispatchDeps, queues: readonly QueueName[]): Promise<void> {
  const epochs = await readEpochs(deps.db);
  await Promise.all(queues.map((queue) => checkEpoch(deps, queue, epochs.get(queue) ?? null)));
}

async function checkEpoch(deps: DispatchDeps, queue: QueueName, epoch: string | null): Promise<void> {
  if (epoch === null || !(await deps.queue.hasEpoch(queue, epoch))) {
    const planted = await deps.queue.plantEpoch(queue);
    const won = await replaceEpoch(deps.db, queue, epoch, planted);
    if (won && epoch !== null)
      deps.log.warn({ queue }, 'the broker lost the contents of a queue; its jobs are delivered again');
  }
  const lost = await takeBackLostEpochs(deps.db, queue);
  if (lost > 0) deps.onRedelivery?.(queue, lost);
}

/**
 * Holds the broker's count against Postgres': a partial eviction leaves the sentinel alone. Delivering again what is
 * still there does no harm, because the older delivery is dropped when it is claimed.
 */
export async function compareCounts(deps: DispatchDeps, queues: readonly QueueName[]): Promise<void> {
  await Promise.all(
    queues.map(async (queue) => {
      const issued = await countIssued(deps.db, queue, SETTLED_DELIVERY_SECONDS);
      if (issued === 0) return;
      const held = await deps.queue.counts(queue);
      if (held.waiting + held.active >= issued) return;
      const again = await takeBackOlderThan(deps.db, queue, SETTLED_DELIVERY_SECONDS);
      deps.onRedelivery?.(queue, again);
      deps.log.warn(
        { queue, issued, held, again },
        'the broker holds fewer deliveries than were issued; they are issued again',
      );
    }),
  );
}
