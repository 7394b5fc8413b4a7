import type { JobErrorCode } from './errors.ts';
import type { JobStatus } from './job-status.ts';

export const JOB_PRIORITIES = { HIGH: 1, NORMAL: 2, LOW: 3 } as const;
export type JobPriority = keyof typeof JOB_PRIORITIES;

export const QUEUE_NAMES = ['default', 'long_running', 'scheduled', 'internal'] as const;
export type QueueName = (typeof QUEUE_NAMES)[number];

/** Rows or records of a job. `total` is null until it is known. */
export interface JobCounts {
  readonly total: number | null;
  readonly processed: number;
  readonly succeeded: number;
  readonly warned: number;
  readonly failed: number;
}

/** One row or record that warned or failed. `row` counts the file's records, the header being 1. */
export interface LedgerItem {
  readonly row?: number;
  /** Names what is no row: a record's id, a job, a panel */
  readonly key?: string;
  readonly column?: string;
  /** What was found, cut to 500 characters when stored */
  readonly value?: string;
  /** SCREAMING_SNAKE, stable */
  readonly code: string;
  readonly message: string;
  readonly outcome: 'warned' | 'failed';
}

/** Ledger items kept per job; counts go on beyond it. */
export const LEDGER_ITEMS_MAX = 100_000;
/** Past this number of events a job numbers no more PROGRESS, LOG or WARNING. */
export const NUMBERED_EVENTS_MAX = 10_000;

/** One line of a job's event log, as stored and as it travels on the bus. */
export interface JobEvent {
  /** 1, 2, 3 … within one job, without holes */
  readonly seq: number;
  readonly at: Date;
  readonly type: 'status' | 'progress' | 'log' | 'warning';
  readonly attempt: number;
  /** Status after this event */
  readonly status: JobStatus;
  readonly progressPercent: number | null;
  readonly message: string | null;
  readonly level: 'debug' | 'info' | 'warn' | 'error' | null;
  readonly errorCode: JobErrorCode | null;
}
