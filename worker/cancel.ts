import type { EventBus } from '../src/events/bus.ts';
import type { Log } from '../src/lib/log.ts';
import { announce } from '../src/queue/announce.ts';
import type { Database } from '../src/repositories/db.ts';
import { acknowledgeCancel } from '../src/repositories/job-cancel.ts';
import type { Attempts } from './attempts.ts';

export interface CancelDeps {
  readonly db: Database;
  readonly bus: EventBus;
  readonly log: Log;
  readonly attempts: Attempts;
}

/** Tells an attempt of this process to stop because somebody cancelled its job, and says that it was told. Never throws. */
export async function stopCancelled(deps: CancelDeps, jobId: string, delivery: number): Promise<void> {
  if (!deps.attempts.stop(jobId, delivery, 'cancelled')) return;
  try {
    const news = await acknowledgeCancel(deps.db, jobId, delivery);
    if (news) announce(deps.bus, news);
  } catch (err) {
    deps.log.warn({ err, jobId }, 'a cancel was heard and could not be acknowledged');
  }
}
