import type { QueueName } from '../domain/job.ts';
import { raceAbort } from '../lib/abort.ts';
import { takeBackDeliveries, type IssuedDelivery } from '../repositories/job-deliveries.ts';
import type { JobDeps } from './deps.ts';

/** Deliveries per organization and queue that may wait in the broker at once, for a worker's concurrency. */
export function admissionWindow(concurrency: number): number {
  return Math.max(100, 4 * concurrency);
}

/** A start waits this long for its delivery to be taken; it is taken a little later otherwise. */
const START_DELIVERY_MS = 250;

type DeliverDeps = Pick<JobDeps, 'db' | 'queue' | 'log'>;

/** Hands issued deliveries to the broker; what it does not take is issued anew later. Never throws. */
export async function handOver(
  deps: DeliverDeps,
  queue: QueueName,
  issued: readonly IssuedDelivery[],
): Promise<boolean> {
  if (issued.length === 0) return true;
  try {
    await deps.queue.deliver(
      queue,
      issued.map(({ jobId, delivery, place }) => ({ jobId, delivery, priority: place })),
    );
    return true;
  } catch (err) {
    deps.log.warn(
      { err, queue, deliveries: issued.length },
      'the broker did not take deliveries; they are issued again',
    );
    await takeBackDeliveries(deps.db, issued).catch((error: unknown) => {
      // Nothing is lost: the comparison of counts finds them.
      deps.log.warn({ err: error, queue }, 'deliveries could not be taken back');
    });
    return false;
  }
}

/** The fast path after a start: waits at most 250 ms for the broker. Never throws. */
export async function deliverSoon(
  deps: DeliverDeps,
  queue: QueueName,
  issued: IssuedDelivery,
): Promise<void> {
  await raceAbort(handOver(deps, queue, [issued]), AbortSignal.timeout(START_DELIVERY_MS)).catch(
    () => undefined,
  );
}
