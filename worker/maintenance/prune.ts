import type { Sql } from '../../src/repositories/db.ts';
import { pruneKeys } from '../../src/repositories/idempotency-keys.ts';
import { pruneNotifications } from '../../src/repositories/notices.ts';
import { deleteImportScratch, findForgottenScratch } from '../../src/repositories/product-import-scratch.ts';
import { deleteUnusedUploads } from '../../src/repositories/uploads.ts';
import { pruneWebhookDeliveries } from '../../src/repositories/webhook-deliveries.ts';

const BATCH = 1_000;
const BATCHES_MAX = 50;

/** What goes out of date: each removes at most `limit` rows and tells how many. */
const PRUNERS: readonly ((sql: Sql, limit: number) => Promise<number>)[] = [
  pruneKeys,
  deleteUnusedUploads,
  pruneNotifications,
  pruneWebhookDeliveries,
];

/** Removes what is out of date, in small batches. */
export async function prune(sql: Sql, signal: AbortSignal): Promise<void> {
  // What imports left behind that failed or were cancelled.
  for (const jobId of await findForgottenScratch(sql)) {
    if (!signal.aborted) await deleteImportScratch(sql, jobId);
  }
  for (const remove of PRUNERS) {
    for (let batch = 0; batch < BATCHES_MAX && !signal.aborted; batch += 1) {
      if ((await remove(sql, BATCH)) < BATCH) break;
    }
  }
}
