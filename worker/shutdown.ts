import type { EventBus } from '../src/events/bus.ts';
import { sleep, toError } from '../src/lib/abort.ts';
import type { Log } from '../src/lib/log.ts';
import { announce } from '../src/queue/announce.ts';
import type { AttemptWrites } from './attempt-writes.ts';
import type { Attempts } from './attempts.ts';
import type { Executions } from './executions.ts';
import type { SupervisedConsumer } from './supervised-consumer.ts';

export interface ShutdownParts {
  readonly writes: AttemptWrites;
  readonly bus: EventBus;
  readonly log: Log;
  readonly consumers: readonly SupervisedConsumer[];
  readonly executions: Executions;
  readonly attempts: Attempts;
  /** Fires when attempts are told to stop */
  readonly closing: AbortController;
  /** Running attempts have this long to finish by themselves */
  readonly graceMs: number;
}

/** Handlers that were told to stop have this long; with the grace of 5 s a worker is gone within 15 s. */
const STOP_MS = 4_000;
const RELEASE_MS = 2_000;

/**
 * Fetches nothing more, lets short work finish, hands long work back with its steps kept, and takes away from handlers
 * that do not listen what is not theirs to keep. `hurry` ends the waiting.
 */
export async function windDown(parts: ShutdownParts, hurry: AbortSignal): Promise<void> {
  const { executions, attempts, consumers, closing, graceMs } = parts;
  executions.stopTaking();
  for (const consumer of consumers) void consumer.stopFetching();
  await idleWithin(executions, graceMs, hurry);
  closing.abort();
  attempts.stopAll('shutdown');
  await idleWithin(executions, STOP_MS, hurry);
  await within(RELEASE_MS, releaseRest(parts));
}

/** What still runs is released behind its handler's back: the fence holds off whatever it does from now on. */
async function releaseRest({ writes, bus, log, attempts }: ShutdownParts): Promise<void> {
  const left = attempts.list();
  if (left.length === 0) return;
  log.warn(
    { attempts: left.length },
    'handlers did not stop in time; their jobs are handed back without them',
  );
  const released = await Promise.allSettled(
    left.map(({ jobId, delivery }) => writes.settle({ jobId, delivery, trigger: 'released' })),
  );
  for (const result of released) {
    if (result.status === 'rejected')
      log.warn({ err: toError(result.reason) }, 'a job could not be handed back; it is taken over later');
    else if (result.value) announce(bus, result.value);
  }
}

async function idleWithin(executions: Executions, ms: number, hurry: AbortSignal): Promise<void> {
  const idle = new AbortController();
  void executions.idle().then(() => idle.abort());
  await Promise.race([sleep(ms, idle.signal), sleep(ms, hurry)]);
}

/** Resolves with `work`, or when the time is over. @throws what `work` throws */
export async function within(ms: number, work: Promise<void>): Promise<void> {
  const over = new AbortController();
  await Promise.race([work.finally(() => over.abort()), sleep(ms, over.signal)]);
}
