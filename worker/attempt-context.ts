import type { Clock } from '../src/lib/clock.ts';
import type { EventBus } from '../src/events/bus.ts';
import type { LedgerItem } from '../src/domain/job.ts';
import { announce } from '../src/queue/announce.ts';
import type { JobDeps } from '../src/queue/deps.ts';
import type { Database, Tx } from '../src/repositories/db.ts';
import type { ClaimedJob } from '../src/repositories/job-attempts.ts';
import type { NewJobEvent } from '../src/repositories/job-events.ts';
import { passFence, type FencedChange } from '../src/repositories/job-fence.ts';
import { readCheckpoint, readStep, writeCheckpoint, writeStep } from '../src/repositories/job-progress.ts';
import type { Storage } from '../src/storage/storage.ts';
import type { AttemptTx, CountChanges, JobContext } from './context.ts';
import { NO_CHANGE, type Reporter } from './reporter.ts';

/** Checkpoints and step results are marks, not stores. */
const MARK_BYTES_MAX = 64 * 1024;

export interface AttemptContextDeps {
  readonly db: Database;
  readonly bus: EventBus;
  readonly storage: Storage;
  readonly jobs: JobDeps;
  readonly clock: Clock;
  readonly job: ClaimedJob;
  readonly signal: AbortSignal;
  readonly reporter: Reporter;
}

export function createAttemptContext(deps: AttemptContextDeps): JobContext {
  const { db, bus, job, signal, reporter } = deps;

  async function transaction<T>(fn: (tx: AttemptTx) => Promise<T>): Promise<T> {
    signal.throwIfAborted();
    await reporter.flushLines();
    const { result, news } = await db.transaction(async (tx) => {
      const unit = new UnitOfWork(tx);
      const result = await fn(unit.tx);
      if (unit.cursorJson !== null) await writeCheckpoint(tx, job.id, unit.cursorJson);
      return { result, news: await passFence(tx, job.id, job.delivery, unit.change()) };
    });
    announce(bus, news);
    return result;
  }

  return {
    jobId: job.id,
    organization: job.organization,
    attempt: job.attempt,
    signal,
    log: reporter.log,
    db,
    storage: deps.storage,
    jobs: deps.jobs,
    now: () => deps.clock.now(),
    progress: (done, total, note) => reporter.report(done, total, note),
    transaction,
    async step(name, schema, fn) {
      const done = await readStep(db, job.id, name);
      if (done) return schema.parse(done.result);
      return transaction(async (tx) => {
        const result = await fn(tx);
        await writeStep(tx, job.id, name, markJson(`step ${name}`, result));
        return result;
      });
    },
    async resume(schema) {
      const cursor = await readCheckpoint(db, job.id);
      return cursor === null ? null : schema.parse(cursor);
    },
  };
}

/** Gathers what one transaction does to the job's own row. */
class UnitOfWork {
  readonly tx: AttemptTx;
  cursorJson: string | null = null;
  private counts = { processed: 0, succeeded: 0, warned: 0, failed: 0 };
  private total: number | null = null;
  private readonly ledger: LedgerItem[] = [];

  constructor(tx: Tx) {
    this.tx = {
      ...tx,
      items: (items) => {
        this.ledger.push(...items);
      },
      count: (changes) => this.add(changes),
      checkpoint: (cursor) => {
        this.cursorJson = markJson('checkpoint', cursor);
      },
    };
  }

  change(): FencedChange {
    return { ...NO_CHANGE, ...this.counts, total: this.total, items: this.ledger, events: this.warning() };
  }

  private add(changes: CountChanges): void {
    this.total = changes.total ?? this.total;
    this.counts.processed += changes.processed ?? 0;
    this.counts.succeeded += changes.succeeded ?? 0;
    this.counts.warned += changes.warned ?? 0;
    this.counts.failed += changes.failed ?? 0;
  }

  /** One event for a batch, however many of its rows are bad. */
  private warning(): NewJobEvent[] {
    const [first] = this.ledger;
    if (!first) return [];
    const place = first.row === undefined ? first.key : `Row ${first.row}`;
    const more = this.ledger.length > 1 ? ` (and ${this.ledger.length - 1} more)` : '';
    return [
      { type: 'warning', level: 'warn', message: [place, first.message].filter(Boolean).join(': ') + more },
    ];
  }
}

function markJson(what: string, value: unknown): string {
  const json = JSON.stringify(value);
  if (Buffer.byteLength(json) > MARK_BYTES_MAX)
    throw new Error(`${what}: expected at most ${MARK_BYTES_MAX} bytes as JSON`);
  return json;
}
