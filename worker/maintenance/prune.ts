import { performance } from 'node:perf_hooks';
import type { Log } from '../../src/lib/log.ts';
import type { Database, Sql } from '../../src/repositories/db.ts';
import { pruneErasedConnections } from '../../src/repositories/connection-erasure.ts';
import { pruneConnectAttempts } from '../../src/repositories/connect-attempts.ts';
import { pruneKeys } from '../../src/repositories/idempotency-keys.ts';
import { pruneNotifications } from '../../src/repositories/notices.ts';
import { deleteImportScratch, findForgottenScratch } from '../../src/repositories/product-import-scratch.ts';
import { pruneProviderEvents } from '../../src/repositories/provider-events.ts';
import { pruneQueueStats } from '../../src/repositories/queue-stats.ts';
import { pruneInternalJobs, pruneJobs, type PrunedJobs } from '../../src/repositories/retention.ts';
import { pruneDeletedSchedules } from '../../src/repositories/schedules.ts';
import { pruneUploads } from '../../src/repositories/uploads.ts';
import { pruneWebhookDeliveries } from '../../src/repositories/webhook-deliveries.ts';
import { pruneStoppedWorkers } from '../../src/repositories/worker-list.ts';
import type { Storage } from '../../src/storage/storage.ts';
import { removeStored } from './prune-storage.ts';

export interface PruneDeps {
  readonly db: Database;
  readonly storage: Storage;
  readonly log: Log;
}

/** What one run removed. */
export interface Pruned {
  readonly jobs: number;
  /** Events and ledger lines of those jobs */
  readonly rows: number;
  readonly uploads: number;
  /** Idempotency keys, minutes of statistics and stopped workers */
  readonly others: number;
  /** Stored files whose bytes are gone */
  readonly files: number;
}

/** Each statement stays short: it holds its locks for some 100 ms, also where jobs have long logs. */
const JOBS = { jobs: 200, rows: 20_000 };
const BATCH = 1_000;
/** Of one run; what is left is for the next. */
const RUN_MS_MAX = 20_000;

/** Removes what is out of date, in small batches. Every worker does: each batch passes by what another one holds. */
export async function prune(deps: PruneDeps, signal: AbortSignal): Promise<Pruned> {
  const { db, log } = deps;
  const startedMs = performance.now();
  const goesOn = (): boolean => !signal.aborted && performance.now() - startedMs < RUN_MS_MAX;
  await forgetScratch(db, goesOn);
  const jobs = await pruneAllJobs(db, goesOn);
  const uploads = await pruneAllUploads(db, goesOn);
  const others = await pruneOthers(db, goesOn);
  const files = await removeStored(deps, signal, goesOn);
  const pruned = { jobs: jobs.jobs, rows: jobs.rows, uploads, others, files };
  if (pruned.jobs + uploads + files > 0) {
    log.info({ ...pruned, ms: Math.round(performance.now() - startedMs) }, 'removed what is out of date');
  }
  return pruned;
}

/** What imports left behind that failed or were cancelled. */
async function forgetScratch(sql: Sql, goesOn: () => boolean): Promise<void> {
  for (const jobId of await findForgottenScratch(sql)) {
    if (goesOn()) await deleteImportScratch(sql, jobId);
  }
}

/** Parents can go only after their children: a batch that removed something may have made room for the next. */
async function pruneAllJobs(sql: Sql, goesOn: () => boolean): Promise<PrunedJobs> {
  const total = { jobs: 0, rows: 0, files: 0 };
  for (const batch of [pruneJobs, pruneInternalJobs]) {
    for (let found = 1; found > 0 && goesOn();) {
      const { jobs, rows, files } = await batch(sql, JOBS);
      total.jobs += jobs;
      total.rows += rows;
      total.files += files;
      found = jobs;
    }
  }
  return total;
}

async function pruneAllUploads(sql: Sql, goesOn: () => boolean): Promise<number> {
  let total = 0;
  for (let seen = BATCH; seen === BATCH && goesOn();) {
    const batch = await pruneUploads(sql, BATCH);
    total += batch.uploads;
    seen = batch.seen;
  }
  return total;
}

/** What goes out of date by its age alone: each removes at most `limit` rows and tells how many. */
const BY_AGE: readonly ((sql: Sql, limit: number) => Promise<number>)[] = [
  pruneKeys,
  pruneQueueStats,
  pruneStoppedWorkers,
  pruneDeletedSchedules,
  pruneNotifications,
  pruneWebhookDeliveries,
  pruneErasedConnections,
  pruneProviderEvents,
  pruneConnectAttempts,
];

async function pruneOthers(sql: Sql, goesOn: () => boolean): Promise<number> {
  let total = 0;
  for (const remove of BY_AGE) {
    for (let removed = BATCH; removed === BATCH && goesOn();) {
      removed = await remove(sql, BATCH);
      total += removed;
    }
  }
  return total;
}
