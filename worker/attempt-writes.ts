import type { QueueName } from '../src/domain/job.ts';
import { Batcher } from '../src/lib/batcher.ts';
import type { Database } from '../src/repositories/db.ts';
import {
  claimDeliveries,
  giveBack,
  type ClaimedJob,
  type Claimant,
  type DeliveryRef,
} from '../src/repositories/job-claims.ts';
import { settleAttempts, type AttemptEnd, type SettledNews } from '../src/repositories/job-settlements.ts';

/** Jobs of one statement: more would hold their locks for long. */
const BATCH_MAX = 200;
/** One statement gathers while the other is under way. */
const AT_ONCE = 2;

/** How attempts begin and end in Postgres: those of one process that come together share a statement. */
export interface AttemptWrites {
  /** Null for a delivery that begins nothing; what this worker must not run has gone back then. */
  claim(delivery: DeliveryRef): Promise<ClaimedJob | null>;
  /** Null when the attempt was not the job's any more. */
  settle(end: AttemptEnd): Promise<SettledNews | null>;
}

/** @param onWrongCatch told of queues from which this worker got what it must not run */
export function createAttemptWrites(
  db: Database,
  claimant: Claimant,
  onWrongCatch: (queue: QueueName) => void,
): AttemptWrites {
  const claims = new Batcher({
    sizeMax: BATCH_MAX,
    concurrency: AT_ONCE,
    run: (deliveries: readonly DeliveryRef[]) => claimAll(db, claimant, deliveries, onWrongCatch),
  });
  const settlements = new Batcher({
    sizeMax: BATCH_MAX,
    concurrency: AT_ONCE,
    run: (ends: readonly AttemptEnd[]) => settleAttempts(db, ends),
  });
  return {
    claim: (delivery) => claims.add(delivery),
    settle: (end) => settlements.add(end),
  };
}

async function claimAll(
  db: Database,
  claimant: Claimant,
  deliveries: readonly DeliveryRef[],
  onWrongCatch: (queue: QueueName) => void,
): Promise<(ClaimedJob | null)[]> {
  const claimed = await claimDeliveries(db, claimant, deliveries);
  const missed = deliveries.filter((_, index) => claimed[index] === null);
  if (missed.length > 0) (await giveBack(db, missed)).forEach(onWrongCatch);
  return claimed;
}
