import type { z } from 'zod';
import type { LedgerItem } from '../src/domain/job.ts';
import type { JobContract, JobInput, JobOutput } from '../src/jobs/define.ts';
import type { JobDeps } from '../src/queue/deps.ts';
import type { Database, Tx } from '../src/repositories/db.ts';
import type { Storage } from '../src/storage/storage.ts';

/** Deltas to the job's counts; `total` is the new value. */
export interface CountChanges {
  readonly total?: number;
  readonly processed?: number;
  readonly succeeded?: number;
  readonly warned?: number;
  readonly failed?: number;
}

/** What commits together with an attempt's rows, or not at all. */
export interface AttemptTx extends Tx {
  /** Adds to the ledger; does not touch counts. */
  items(items: readonly LedgerItem[]): void;
  count(changes: CountChanges): void;
  /** Replaces the job's cursor: a later attempt gets it from `resume`. At most 64 kB as JSON */
  checkpoint(cursor: unknown): void;
}

/** Lines of the job's own event log; people see them. Bounded: past 10,000 events nothing is added. */
export interface JobLog {
  debug(message: string): void;
  info(message: string): void;
  warn(message: string): void;
  error(message: string): void;
}

/** All that a handler may touch. Pure code is imported; I/O arrives here. */
export interface JobContext {
  readonly jobId: string;
  readonly organization: { readonly id: string; readonly timeZone: string; readonly currency: string };
  /** 1 for the first */
  readonly attempt: number;
  /** Fires on cancel, time limit, shutdown and loss of the attempt; pass it to everything that waits. */
  readonly signal: AbortSignal;
  readonly log: JobLog;
  /** Reads, and writes that need no fence. Rows of this job's making belong into `transaction`. */
  readonly db: Database;
  readonly storage: Storage;
  /** For handlers whose work is other jobs: to start, retry and cancel them */
  readonly jobs: JobDeps;
  now(): Date;
  /** Tells how far the work is, in any unit; written at most four times a second. `total` null: unknown */
  progress(done: number, total: number | null, note?: string): void;
  /**
   * One transaction that ends with the fence: if this attempt is no longer the job's, all of it rolls back and
   * AttemptLostError is thrown, which a handler lets pass.
   */
  transaction<T>(fn: (tx: AttemptTx) => Promise<T>): Promise<T>;
  /** As `transaction`, run once per job: a later attempt gets the remembered result (at most 64 kB as JSON). */
  step<T>(name: string, schema: z.ZodType<T>, fn: (tx: AttemptTx) => Promise<T>): Promise<T>;
  /** The last committed checkpoint, or null. @throws when it does not fit `schema` */
  resume<T>(schema: z.ZodType<T>): Promise<T | null>;
}

/** Returns what the contract's output says; the outcome (warnings, rejected rows) follows from the counts. */
export type Handler<C extends JobContract> = (ctx: JobContext, input: JobInput<C>) => Promise<JobOutput<C>>;
