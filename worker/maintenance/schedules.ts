import type { JobDeps } from '../../src/queue/deps.ts';
import { fireDueSchedule, type Fired } from '../../src/queue/due-schedules.ts';

/** Jobs that are announced and handed to the broker together. */
const BATCH = 20;
/** Batches of one run, so that the loop looks at its signal and at the clock again. */
const BATCHES_MAX = 50;

/** Starts the jobs of all schedules that are due, oldest first. Any number of workers may do so at once. */
export async function fireDueSchedules(deps: JobDeps, signal: AbortSignal): Promise<void> {
  for (let batch = 0; batch < BATCHES_MAX; batch += 1) {
    const fired = await fireBatch(deps, signal);
    // A broker that does not answer costs the batch a quarter of a second, not each job.
    await Promise.all(fired.map(async ({ afterCommit }) => afterCommit?.()));
    if (fired.length < BATCH) return;
  }
}

async function fireBatch(deps: JobDeps, signal: AbortSignal): Promise<Fired[]> {
  const fired: Fired[] = [];
  while (fired.length < BATCH && !signal.aborted) {
    const next = await fireDueSchedule(deps);
    if (!next) break;
    fired.push(next);
  }
  return fired;
}
