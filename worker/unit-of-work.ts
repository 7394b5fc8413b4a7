import type { JobCounts, LedgerItem } from '../src/domain/job.ts';
import { startTogetherIn, type BatchedStart } from '../src/queue/start-batch.ts';
import { startJobIn, type StartOptions } from '../src/queue/start.ts';
import type { JobDeps } from '../src/queue/deps.ts';
import type { JobContract } from '../src/jobs/define.ts';
import { toPublicId } from '../src/domain/ids.ts';
import type { Tx } from '../src/repositories/db.ts';
import type { ClaimedJob } from '../src/repositories/job-claims.ts';
import type { NewJobEvent } from '../src/repositories/job-events.ts';
import type { FencedChange } from '../src/repositories/job-fence.ts';
import type { AttemptTx, CountChanges } from './context.ts';
import { markJson } from './mark.ts';
import { NO_CHANGE } from './reporter.ts';

/** Gathers what one transaction of an attempt does to the job's own row, and what is told once it has committed. */
export class UnitOfWork {
  readonly tx: AttemptTx;
  cursorJson: string | null = null;
  readonly #job: ClaimedJob;
  readonly #jobs: JobDeps;
  #counts = { processed: 0, succeeded: 0, warned: 0, failed: 0 };
  #total: number | null = null;
  readonly #ledger: LedgerItem[] = [];
  readonly #afterCommit: (() => Promise<void>)[] = [];

  constructor(tx: Tx, job: ClaimedJob, jobs: JobDeps) {
    this.#job = job;
    this.#jobs = jobs;
    this.tx = {
      ...tx,
      items: (items) => {
        this.#ledger.push(...items);
      },
      count: (changes) => this.#add(changes),
      checkpoint: (cursor) => {
        this.cursorJson = markJson('checkpoint', cursor);
      },
      enqueue: (contract, input, options) => this.#enqueue(tx, contract, input, options),
      enqueueAll: (contract, inputs) => this.#enqueueAll(tx, contract, inputs),
    };
  }

  change(): FencedChange {
    return {
      ...NO_CHANGE,
      ...this.#counts,
      total: this.#total,
      items: this.#ledger,
      events: this.#warning(),
    };
  }

  /** The job's counts once this unit has committed. */
  addTo(counts: JobCounts): JobCounts {
    return {
      total: this.#total ?? counts.total,
      processed: counts.processed + this.#counts.processed,
      succeeded: counts.succeeded + this.#counts.succeeded,
      warned: counts.warned + this.#counts.warned,
      failed: counts.failed + this.#counts.failed,
    };
  }

  async afterCommit(): Promise<void> {
    await Promise.all(this.#afterCommit.map((run) => run()));
  }

  async #enqueue(tx: Tx, contract: JobContract, input: unknown, options?: StartOptions): Promise<string> {
    const started = await startJobIn(tx, this.#jobs, { ...this.#childOf(contract, input), options });
    this.#afterCommit.push(started.afterCommit);
    return started.jobId;
  }

  async #enqueueAll(tx: Tx, contract: JobContract, inputs: readonly unknown[]): Promise<void> {
    const children = inputs.map((input) => this.#childOf(contract, input));
    this.#afterCommit.push(await startTogetherIn(tx, this.#jobs, children));
  }

  #childOf({ kind }: JobContract, input: unknown): BatchedStart & { readonly parentId: string } {
    return {
      organizationId: this.#job.organization.id,
      kind,
      input,
      triggeredBy: `job:${toPublicId('job', this.#job.id)}`,
      parentId: this.#job.id,
    };
  }

  #add(changes: CountChanges): void {
    this.#total = changes.total ?? this.#total;
    this.#counts.processed += changes.processed ?? 0;
    this.#counts.succeeded += changes.succeeded ?? 0;
    this.#counts.warned += changes.warned ?? 0;
    this.#counts.failed += changes.failed ?? 0;
  }

  /** One event for a batch, however many of its rows are bad. */
  #warning(): NewJobEvent[] {
    const [first] = this.#ledger;
    if (!first) return [];
    const place = first.row === undefined ? first.key : `Row ${first.row}`;
    const more = this.#ledger.length > 1 ? ` (and ${this.#ledger.length - 1} more)` : '';
    return [
      { type: 'warning', level: 'warn', message: [place, first.message].filter(Boolean).join(': ') + more },
    ];
  }
}
