import type { QueueName } from '../../src/domain/job.ts';
import type { Log } from '../../src/lib/log.ts';
import { admissionWindow, handOver } from '../../src/queue/deliver.ts';
import type { DeliveryQueue } from '../../src/queue/queue.ts';
import type { Database } from '../../src/repositories/db.ts';
import { issueDueDeliveries } from '../../src/repositories/job-deliveries.ts';

export interface DispatchDeps {
  readonly db: Database;
  readonly queue: DeliveryQueue;
  readonly log: Log;
  /** Told of deliveries that are issued again because the broker lost them */
  onRedelivery?(queue: QueueName, deliveries: number): void;
}

/** Most deliveries of one statement; a full one is followed by another at once. */
const BATCH = 500;
/** Batches of one run, so that a queue with much to do does not keep the others waiting. */
const BATCHES_MAX = 20;

/** Hands a queue's due jobs to the broker, each organization up to its window. */
export async function dispatchQueue(
  deps: DispatchDeps,
  queue: QueueName,
  concurrency: number,
): Promise<void> {
  const window = admissionWindow(concurrency);
  for (let batch = 0; batch < BATCHES_MAX; batch += 1) {
    const issued = await issueDueDeliveries(deps.db, queue, window, BATCH);
    const taken = await handOver(deps, queue, issued);
    if (!taken || issued.length < BATCH) return;
  }
}
