import type { EventBus } from '../events/bus.ts';
import type { JobCatalogue } from '../jobs/define.ts';
import type { Log } from '../lib/log.ts';
import type { Database } from '../repositories/db.ts';
import type { DeliveryQueue } from './queue.ts';

/** What it takes to start, retry and cancel jobs; the API and the worker's own enqueues share it. */
export interface JobDeps {
  readonly db: Database;
  readonly queue: DeliveryQueue;
  readonly bus: EventBus;
  readonly catalogue: JobCatalogue;
  readonly log: Log;
  /** Told of each job that was started anew, for metrics */
  readonly onStarted?: ((kind: string) => void) | undefined;
}
