import type { Sql } from '../../src/repositories/db.ts';
import { pruneKeys } from '../../src/repositories/idempotency-keys.ts';

const BATCH = 1_000;
const BATCHES_MAX = 50;

/** Removes what is out of date, in small batches. */
export async function prune(sql: Sql, signal: AbortSignal): Promise<void> {
  for (let batch = 0; batch < BATCHES_MAX && !signal.aborted; batch += 1) {
    if ((await pruneKeys(sql, BATCH)) < BATCH) return;
  }
}
