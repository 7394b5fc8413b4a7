import type { z } from 'zod';
import type { ChildEnd, ChildOptions } from '../src/lib/child-process.ts';
import type { LedgerItem } from '../src/domain/job.ts';
import type { ConnectionDeps } from '../src/connections/deps.ts';
import type { JobContract, JobInput, JobOutput } from '../src/jobs/define.ts';
import type { StartOptions } from '../src/queue/start.ts';
import type { JobDeps } from '../src/queue/deps.ts';
import type { Database, Tx } from '../src/repositories/db.ts';
import type { ChildJob } from '../src/repositories/job-children.ts';
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
  /**
   * Starts a child of this job: it exists if and only if this transaction commits. Call it inside a `step`, so that a
   * later attempt does not start it again. @returns its uuid
   */
  enqueue<C extends JobContract>(
    contract: C,
    input: z.input<C['input']>,
    options?: StartOptions,
  ): Promise<string>;
  /** The same for many, by one statement. One whose unique key a live job has already is left out, be it with other input. */
  enqueueAll<C extends JobContract>(contract: C, inputs: readonly z.input<C['input']>[]): Promise<void>;
}

/** What a failed or cancelled child means to its parent: the parent fails, or ends with a warning for each. */
export type FailedChildren = 'fail' | 'warn';

/** Ends an attempt whose job waits for its children; handlers let it pass. */
export class WaitsForChildren extends Error {
  override readonly name = 'WaitsForChildren';
  constructor() {
    super('the job waits for its children');
  }
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
  /** Accounts at providers */
  readonly connections: ConnectionDeps;
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
  /**
   * The job's children, oldest first, once all of them are settled. Until then it ends the attempt, holding no worker:
   * the handler begins anew, with its steps remembered, when the last of them is settled.
   * @throws JobFailure CHILD_FAILED when one did not complete and `failed` is "fail"
   */
  children(failed: FailedChildren): Promise<readonly ChildJob[]>;
  /** Runs a program; cancel, time limit and the worker's end reach it and all that it starts. */
  run(
    command: readonly [program: string, ...args: string[]],
    options: Omit<ChildOptions, 'signal'>,
  ): Promise<ChildEnd>;
  /** The last committed checkpoint, or null. @throws when it does not fit `schema` */
  resume<T>(schema: z.ZodType<T>): Promise<T | null>;
}

/** Returns what the contract's output says; the outcome (warnings, rejected rows) follows from the counts. */
export type Handler<C extends JobContract> = (ctx: JobContext, input: JobInput<C>) => Promise<JobOutput<C>>;
