import { runChild } from '../src/lib/child-process.ts';
import type { Clock } from '../src/lib/clock.ts';
import type { EventBus } from '../src/events/bus.ts';
import type { ConnectionDeps } from '../src/connections/deps.ts';
import type { JobCounts } from '../src/domain/job.ts';
import { announce } from '../src/queue/announce.ts';
import type { JobDeps } from '../src/queue/deps.ts';
import type { Database } from '../src/repositories/db.ts';
import type { ClaimedJob } from '../src/repositories/job-claims.ts';
import { passFence } from '../src/repositories/job-fence.ts';
import { readCheckpoint, readStep, writeCheckpoint, writeStep } from '../src/repositories/job-progress.ts';
import type { Storage } from '../src/storage/storage.ts';
import type { AttemptTx, JobContext } from './context.ts';
import { settledChildren } from './family.ts';
import { markJson } from './mark.ts';
import type { Reporter } from './reporter.ts';
import { UnitOfWork } from './unit-of-work.ts';

export interface AttemptContextDeps {
  readonly db: Database;
  readonly bus: EventBus;
  readonly storage: Storage;
  readonly jobs: JobDeps;
  readonly connections: ConnectionDeps;
  readonly clock: Clock;
  readonly job: ClaimedJob;
  readonly signal: AbortSignal;
  readonly reporter: Reporter;
}

export interface AttemptContext {
  readonly ctx: JobContext;
  /** The job's counts by all that was committed so far */
  counts(): JobCounts;
}

export function createAttemptContext(deps: AttemptContextDeps): AttemptContext {
  const { db, bus, job, signal, reporter } = deps;
  let { counts } = job;

  async function transaction<T>(fn: (tx: AttemptTx) => Promise<T>): Promise<T> {
    signal.throwIfAborted();
    await reporter.flushLines();
    const { result, news, unit } = await db.transaction(async (tx) => {
      const unit = new UnitOfWork(tx, job, deps.jobs);
      const result = await fn(unit.tx);
      if (unit.cursorJson !== null) await writeCheckpoint(tx, job.id, unit.cursorJson);
      return { result, unit, news: await passFence(tx, job.id, job.delivery, unit.change()) };
    }, signal);
    counts = unit.addTo(counts);
    announce(bus, news);
    await unit.afterCommit();
    return result;
  }

  const step: JobContext['step'] = async (name, schema, fn) => {
    const done = await readStep(db, job.id, name);
    if (done) return schema.parse(done.result);
    return transaction(async (tx) => {
      const result = await fn(tx);
      await writeStep(tx, job.id, name, markJson(`step ${name}`, result));
      return result;
    });
  };

  const ctx: JobContext = {
    jobId: job.id,
    organization: job.organization,
    attempt: job.attempt,
    signal,
    log: reporter.log,
    db,
    storage: deps.storage,
    jobs: deps.jobs,
    connections: deps.connections,
    now: () => deps.clock.now(),
    progress: (done, total, note) => reporter.report(done, total, note),
    transaction,
    step,
    run: (command, options) => runChild(command, { ...options, signal }),
    children: (failed) => settledChildren(db, job.id, failed, step),
    async resume(schema) {
      const cursor = await readCheckpoint(db, job.id);
      return cursor === null ? null : schema.parse(cursor);
    },
  };
  return { ctx, counts: () => counts };
}
