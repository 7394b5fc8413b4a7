import { performance } from 'node:perf_hooks';
import type { ConnectionDeps } from '../src/connections/deps.ts';
import type { QueueName } from '../src/domain/job.ts';
import { JOB_TRANSITIONS } from '../src/domain/job-status.ts';
import type { EventBus } from '../src/events/bus.ts';
import type { JobCatalogue, JobContract } from '../src/jobs/define.ts';
import { raceAbort, sleep, toError } from '../src/lib/abort.ts';
import { backoffMs } from '../src/lib/backoff.ts';
import type { Clock } from '../src/lib/clock.ts';
import type { Log } from '../src/lib/log.ts';
import { announce } from '../src/queue/announce.ts';
import type { JobDeps } from '../src/queue/deps.ts';
import type { Database } from '../src/repositories/db.ts';
import type { ClaimedJob, DeliveryRef } from '../src/repositories/job-claims.ts';
import type { Settlement } from '../src/repositories/job-settlements.ts';
import type { Storage } from '../src/storage/storage.ts';
import type { AttemptEnd, MeasureAttempt } from '../src/telemetry/job-metrics.ts';
import { createAttemptContext } from './attempt-context.ts';
import type { AttemptWrites } from './attempt-writes.ts';
import type { AttemptHandle, Attempts } from './attempts.ts';
import type { BoundHandlers } from './handlers.ts';
import { decideOutcome, type RunEnd } from './outcome.ts';
import { Reporter } from './reporter.ts';
import { stopReasonOf } from './stop-reason.ts';

export interface ExecutorDeps {
  readonly db: Database;
  readonly bus: EventBus;
  readonly storage: Storage;
  readonly jobs: JobDeps;
  readonly connections: ConnectionDeps;
  readonly clock: Clock;
  readonly log: Log;
  readonly writes: AttemptWrites;
  readonly catalogue: JobCatalogue;
  readonly handlers: BoundHandlers;
  readonly attempts: Attempts;
  readonly measure: MeasureAttempt;
  /** Fires when the process goes away */
  readonly closing: AbortSignal;
  /** Called when a job settled: its organization's window has room */
  onSettled(queue: QueueName): void;
}

/** A handler that does not stop when told to is left behind after this long; the fence holds it off. */
const STOP_GRACE_MS = 10_000;
/** Only Postgres begins and ends an attempt: while it is away, both wait. */
const DATABASE_BACKOFF = { baseMs: 200, maxMs: 10_000 };

/** One attempt on its way through the steps below. */
interface Attempt {
  readonly job: ClaimedJob;
  readonly contract: JobContract;
  readonly handle: AttemptHandle;
}

/** One delivery, from the broker's hands to the job's next status. */
export async function executeDelivery(deps: ExecutorDeps, delivery: DeliveryRef): Promise<void> {
  const fetchedMs = performance.now();
  const job = await claim(deps, delivery);
  if (!job) return;
  const attempt = begin(deps, job);
  const measured = deps.measure(attempt.contract.kind, (performance.now() - fetchedMs) / 1_000);
  try {
    const end = await run(deps, attempt);
    measured.ran();
    measured.ended(await settle(deps, attempt, decide(deps, attempt, end)));
  } finally {
    attempt.handle.end();
    deps.onSettled(attempt.contract.queue);
  }
}

/** While Postgres does not answer, the delivery is kept: the slot waits, and so does what stands behind it. */
async function claim(deps: ExecutorDeps, delivery: DeliveryRef): Promise<ClaimedJob | null> {
  const job = await untilDone(deps, 'claim', () => deps.writes.claim(delivery));
  if (job) announce(deps.bus, job.news);
  return job;
}

function begin(deps: ExecutorDeps, job: ClaimedJob): Attempt {
  const contract = contractOf(deps, job);
  return { job, contract, handle: deps.attempts.begin(job.id, job.delivery, contract.timeoutMs) };
}

async function run(deps: ExecutorDeps, { job, contract, handle: { signal } }: Attempt): Promise<RunEnd> {
  const { db, bus, log, storage, jobs, connections, clock } = deps;
  const reporter = new Reporter({
    db,
    bus,
    log: log.child({ jobId: job.id, kind: job.kind, attempt: job.attempt }),
    jobId: job.id,
    delivery: job.delivery,
    onLost: () => deps.attempts.stop(job.id, job.delivery, 'lost'),
  });
  const { ctx, counts } = createAttemptContext({
    db,
    bus,
    storage,
    jobs,
    connections,
    clock,
    job,
    signal,
    reporter,
  });
  try {
    const handler = deps.handlers.get(contract.kind);
    if (!handler) throw new Error(`no handler for ${job.kind}`);
    const output = await untilStopped(handler(ctx, job), signal);
    await reporter.flush();
    return { type: 'returned', output, counts: counts() };
  } catch (error) {
    await reporter.flush();
    return { type: 'threw', error };
  }
}

function decide(deps: ExecutorDeps, { job, contract, handle }: Attempt, end: RunEnd): Settlement | null {
  const stopped = stopReasonOf(handle.signal);
  const { attempt, maxAttempts, delivery } = job;
  const settlement = decideOutcome(end, { contract, attempt, maxAttempts, delivery, stopped });
  if (end.type === 'threw' && stopped === null && settlement?.trigger === 'snoozed') {
    deps.log.info({ jobId: job.id, why: settlement.errorMessage, ms: settlement.delayMs }, 'a job pauses');
  } else if (end.type === 'threw' && stopped === null && settlement?.trigger !== 'waits_for_children') {
    deps.log.warn(
      { err: toError(end.error), jobId: job.id, attempt, next: settlement?.trigger },
      'an attempt failed',
    );
  }
  return settlement;
}

async function settle(
  deps: ExecutorDeps,
  { job }: Attempt,
  settlement: Settlement | null,
): Promise<AttemptEnd> {
  if (!settlement) return null;
  const news = await untilDone(deps, 'settle', () =>
    deps.writes.settle({ jobId: job.id, delivery: job.delivery, ...settlement }),
  );
  if (!news) return null;
  announce(deps.bus, news);
  // Somebody asked for the cancellation meanwhile.
  const trigger = news.status === 'cancelled' ? 'cancelled' : settlement.trigger;
  return { outcome: JOB_TRANSITIONS[trigger].ends, status: news.status };
}

/** Settles with the handler; after a stop the handler has a while to clean up. */
async function untilStopped<T>(running: Promise<T>, signal: AbortSignal): Promise<T> {
  const graceOver = new AbortController();
  let timer: NodeJS.Timeout | undefined;
  const onStop = (): void => {
    timer = setTimeout(() => graceOver.abort(signal.reason), STOP_GRACE_MS);
  };
  signal.addEventListener('abort', onStop, { once: true });
  // What a handler throws after it was left behind interests nobody.
  running.catch(() => undefined);
  try {
    return await raceAbort(running, graceOver.signal);
  } finally {
    clearTimeout(timer);
    signal.removeEventListener('abort', onStop);
  }
}

/** Tries until Postgres has answered. @throws the last error when the process is closing */
async function untilDone<T>(deps: ExecutorDeps, what: string, call: () => Promise<T>): Promise<T> {
  for (let tries = 1; ; tries += 1) {
    try {
      return await call();
    } catch (error) {
      if (deps.closing.aborted) throw error;
      deps.log.warn({ err: toError(error), what, tries }, 'Postgres did not answer; trying again');
      await sleep(backoffMs(DATABASE_BACKOFF, tries), deps.closing);
    }
  }
}

function contractOf(deps: ExecutorDeps, job: ClaimedJob): JobContract {
  const contract =
    deps.catalogue[job.kind] ??
    Object.values(deps.catalogue).find(({ aliases }) => aliases?.includes(job.kind));
  if (!contract) throw new Error(`claimed a job of an unknown kind: ${job.kind}`);
  return contract;
}
