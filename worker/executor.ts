import { performance } from 'node:perf_hooks';
import type { QueueName } from '../src/domain/job.ts';
import type { EventBus } from '../src/events/bus.ts';
import type { JobCatalogue, JobContract } from '../src/jobs/define.ts';
import { raceAbort, sleep, toError } from '../src/lib/abort.ts';
import { backoffMs } from '../src/lib/backoff.ts';
import type { Clock } from '../src/lib/clock.ts';
import type { Log } from '../src/lib/log.ts';
import { announce } from '../src/queue/announce.ts';
import type { JobDeps } from '../src/queue/deps.ts';
import type { Database } from '../src/repositories/db.ts';
import {
  claimDelivery,
  giveBack,
  settleAttempt,
  type ClaimedJob,
  type Settlement,
} from '../src/repositories/job-attempts.ts';
import { readCounts } from '../src/repositories/job-progress.ts';
import type { WorkerIdentity } from '../src/repositories/workers.ts';
import type { Storage } from '../src/storage/storage.ts';
import type { AttemptEnd, MeasureAttempt } from '../src/telemetry/job-metrics.ts';
import { createAttemptContext } from './attempt-context.ts';
import type { Attempts } from './attempts.ts';
import type { BoundHandlers } from './handlers.ts';
import { decideOutcome, type RunEnd } from './outcome.ts';
import { Reporter } from './reporter.ts';
import { stopReasonOf } from './stop-reason.ts';

export interface ExecutorDeps {
  readonly db: Database;
  readonly bus: EventBus;
  readonly storage: Storage;
  readonly jobs: JobDeps;
  readonly clock: Clock;
  readonly log: Log;
  readonly worker: WorkerIdentity;
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

/** One delivery, from the broker's hands to the job's next status. */
export async function executeDelivery(deps: ExecutorDeps, jobId: string, delivery: number): Promise<void> {
  const fetchedMs = performance.now();
  const job = await claim(deps, jobId, delivery);
  if (!job) return;
  const measured = deps.measure(contractOf(deps, job).kind, (performance.now() - fetchedMs) / 1_000);
  const attempt = deps.attempts.begin(job.id, job.delivery, timeLimitOf(deps, job));
  try {
    const end = await run(deps, job, attempt.signal);
    measured.ran();
    measured.ended(await settle(deps, job, decide(deps, job, end, attempt.signal)));
  } finally {
    attempt.end();
    deps.onSettled(contractOf(deps, job).queue);
  }
}

/** While Postgres does not answer, the delivery is kept: the slot waits, and so does what stands behind it. */
async function claim(deps: ExecutorDeps, jobId: string, delivery: number): Promise<ClaimedJob | null> {
  const { worker } = deps;
  const job = await untilDone(deps, 'claim', async () => {
    const claimed = await claimDelivery(deps.db, jobId, delivery, worker);
    if (!claimed) await giveBack(deps.db, jobId, delivery);
    return claimed;
  });
  if (job) announce(deps.bus, job.news);
  return job;
}

async function run(deps: ExecutorDeps, job: ClaimedJob, signal: AbortSignal): Promise<RunEnd> {
  const { db, bus, log } = deps;
  const reporter = new Reporter({
    db,
    bus,
    log: log.child({ jobId: job.id, kind: job.kind, attempt: job.attempt }),
    jobId: job.id,
    delivery: job.delivery,
    onLost: () => deps.attempts.stop(job.id, job.delivery, 'lost'),
  });
  const ctx = createAttemptContext({
    db,
    bus,
    storage: deps.storage,
    jobs: deps.jobs,
    clock: deps.clock,
    job,
    signal,
    reporter,
  });
  try {
    const handler = deps.handlers.get(contractOf(deps, job).kind);
    if (!handler) throw new Error(`no handler for ${job.kind}`);
    const output = await untilStopped(handler(ctx, job), signal);
    await reporter.flush();
    return { type: 'returned', output, counts: await readCounts(db, job.id) };
  } catch (error) {
    await reporter.flush();
    return { type: 'threw', error };
  }
}

function decide(deps: ExecutorDeps, job: ClaimedJob, end: RunEnd, signal: AbortSignal): Settlement | null {
  const stopped = stopReasonOf(signal);
  const settlement = decideOutcome(end, {
    contract: contractOf(deps, job),
    attempt: job.attempt,
    maxAttempts: job.maxAttempts,
    stopped,
  });
  if (end.type === 'threw' && stopped === null) {
    deps.log.warn(
      { err: toError(end.error), jobId: job.id, attempt: job.attempt, next: settlement?.status },
      'an attempt failed',
    );
  }
  return settlement;
}

async function settle(
  deps: ExecutorDeps,
  job: ClaimedJob,
  settlement: Settlement | null,
): Promise<AttemptEnd> {
  if (!settlement) return null;
  const news = await untilDone(deps, 'settle', () =>
    settleAttempt(deps.db, job.id, job.delivery, settlement),
  );
  if (!news) return null;
  announce(deps.bus, news);
  // Somebody asked for the cancellation meanwhile.
  const outcome = news.status === 'cancelled' ? 'cancelled' : settlement.attemptOutcome;
  return { outcome, status: news.status };
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

function timeLimitOf(deps: ExecutorDeps, job: ClaimedJob): number {
  return contractOf(deps, job).timeoutMs;
}
