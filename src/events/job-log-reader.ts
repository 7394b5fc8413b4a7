import type { JobEvent } from '../domain/job.ts';

/** How far a job is, at one moment. */
export interface JobHead {
  /** Seq of its newest event; 0 before the first */
  readonly lastSeq: number;
  readonly settled: boolean;
  /** Differs when something that people watch differs, numbered in the log or not */
  readonly revision: string;
}

/** The log of jobs' events, which is the truth; the bus only hints. Both calls have a time limit of their own. */
export interface JobLogReader {
  /** Events with a seq above `after`, in order, at most `limit` */
  readEvents(jobId: string, after: number, limit: number): Promise<readonly JobEvent[]>;
  /** Heads of the jobs that exist, by id, in one statement */
  lastSeqs(jobIds: readonly string[]): Promise<ReadonlyMap<string, JobHead>>;
}
