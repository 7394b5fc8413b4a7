import type { EventBus } from '../events/bus.ts';
import type { JobCatalogue } from '../jobs/define.ts';
import { Batcher } from '../lib/batcher.ts';
import type { Log } from '../lib/log.ts';
import type { Database } from '../repositories/db.ts';
import { insertJobs, type InsertedJob, type NewJob } from '../repositories/job-inserts.ts';
import type { DeliveryQueue } from './queue.ts';

interface JobDepsParts {
  readonly db: Database;
  readonly queue: DeliveryQueue;
  readonly bus: EventBus;
  readonly catalogue: JobCatalogue;
  readonly log: Log;
  /** Told of each job that is started, not of replays */
  onStarted?(kind: string): void;
}

/** What it takes to start, retry and cancel jobs; the API and the worker's own enqueues share it. */
export interface JobDeps extends JobDepsParts {
  /** Writes a job in a transaction of its own; those that come together share one. Null as in `insertJobs` */
  insert(job: NewJob): Promise<InsertedJob | null>;
}

/**
 * Deliveries per organization and queue that a start may put into the broker: it does not know the workers'
 * concurrency, and a smaller window only means that the dispatcher delivers the rest.
 */
export const START_WINDOW = 100;

const INSERTS_MAX = 200;
const INSERTS_AT_ONCE = 2;

export function createJobDeps(parts: JobDepsParts): JobDeps {
  const inserts = new Batcher({
    sizeMax: INSERTS_MAX,
    concurrency: INSERTS_AT_ONCE,
    run: (jobs: readonly NewJob[]) => insertJobs(parts.db, jobs, START_WINDOW),
  });
  return { ...parts, insert: (job) => inserts.add(job) };
}
