import type { QueueName } from '../domain/job.ts';
import { raceAbort } from '../lib/abort.ts';
import { issueOneDelivery, takeBackDeliveries, type IssuedDelivery } from '../repositories/job-deliveries.ts';
import type { JobDeps } from './deps.ts';

/** Deliveries per organization and queue that may wait in the broker at once, for a worker's concurrency. */
export function admissionWindow(concurrency: number): number {
  return Math.max(100, 4 * concurrency);
}

/** The API does not know the workers' concurrency; a smaller window only means that the dispatcher delivers the rest. */
const START_WINDOW = 100;
/** A start waits this long for its delivery; then the dispatcher takes over. */
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

/** The fast path after a start: delivers within 250 ms or leaves it to the dispatcher. Never throws. */
export async function deliverSoon(deps: DeliverDeps, queue: QueueName, jobId: string): Promise<void> {
  const attempt = issueOneDelivery(deps.db, queue, jobId, START_WINDOW).then(async (issued) => {
    if (issued) await handOver(deps, queue, [issued]);
  });
  attempt.catch((err: unknown) => deps.log.warn({ err, jobId }, 'a started job waits for the dispatcher'));
  await raceAbort(attempt, AbortSignal.timeout(START_DELIVERY_MS)).catch(() => undefined);
}
