import type { QueueName } from '../../src/domain/job.ts';
import {
  countOut,
  listUnclaimed,
  takeBackDeliveries,
  takeBackLostEpochs,
} from '../../src/repositories/job-deliveries.ts';
import { readEpochs, replaceEpoch } from '../../src/repositories/queues.ts';
import type { DispatchDeps } from './dispatch.ts';

/** Deliveries younger than this may be on their way: counts are compared without them. */
const SETTLED_DELIVERY_SECONDS = 5;
/** Deliveries that the broker is asked for at once */
const PAGE = 200;
/** Below every id */
const FIRST_ID = '00000000-0000-0000-0000-000000000000';

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
 * Holds the broker's count against Postgres': a partial eviction leaves the sentinel alone, and a process may die between
 * its commit and its call to the broker. Only where the counts differ is the broker asked for each delivery.
 */
export async function compareCounts(
  deps: DispatchDeps,
  queues: readonly QueueName[],
  signal: AbortSignal,
): Promise<void> {
  await Promise.all(
    queues.map(async (queue) => {
      // The broker first: what comes after its answer is too young to be counted in Postgres.
      const held = await deps.queue.counts(queue);
      const out = await countOut(deps.db, queue, SETTLED_DELIVERY_SECONDS);
      if (held.waiting + held.active >= out) return;
      const again = await takeBackMissing(deps, queue, signal);
      if (again === 0) return;
      deps.onRedelivery?.(queue, again);
      deps.log.warn(
        { queue, out, held, again },
        'the broker does not hold all deliveries; they are issued again',
      );
    }),
  );
}

/** @returns how many deliveries are to be issued anew */
async function takeBackMissing(deps: DispatchDeps, queue: QueueName, signal: AbortSignal): Promise<number> {
  let again = 0;
  let after: string | undefined = FIRST_ID;
  while (after !== undefined && !signal.aborted) {
    const page = await listUnclaimed(deps.db, queue, SETTLED_DELIVERY_SECONDS, { after, limit: PAGE });
    const missing = await deps.queue.missing(queue, page);
    // What a worker claimed in between is not taken back.
    if (missing.length > 0) await takeBackDeliveries(deps.db, missing);
    again += missing.length;
    after = page.length < PAGE ? undefined : page.at(-1)?.jobId;
  }
  return again;
}
