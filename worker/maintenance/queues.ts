import type { Sql } from '../../src/repositories/db.ts';
import { takeBackDraining } from '../../src/repositories/job-deliveries.ts';
import { rollPipelineDays } from '../../src/repositories/pipeline-days.ts';
import { rollQueueStats } from '../../src/repositories/queue-stats.ts';

const BATCH = 1_000;
const BATCHES_MAX = 20;

/** Takes back what queues that drain had handed to the broker; what comes of it there is refused when it is claimed. */
export async function drainQueues(sql: Sql, signal: AbortSignal): Promise<void> {
  for (let batch = 0; batch < BATCHES_MAX && !signal.aborted; batch += 1) {
    if ((await takeBackDraining(sql, BATCH)) === 0) return;
  }
}

const STEPS_MAX = 48;

/** Adds up what was settled, by minute and by day; after a standstill step by step, and so many in one run. */
export async function rollStats(sql: Sql, signal: AbortSignal): Promise<void> {
  await roll(() => rollQueueStats(sql), signal);
  await roll(() => rollPipelineDays(sql), signal);
}

async function roll(once: () => Promise<boolean>, signal: AbortSignal): Promise<void> {
  for (let step = 0; step < STEPS_MAX && !signal.aborted; step += 1) {
    if (!(await once())) return;
  }
}
