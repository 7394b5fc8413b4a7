import type { JobEvent } from '../domain/job.ts';
import { createLimiter, type Limiter } from '../lib/limiter.ts';
import type { JobLogReader } from './job-log-reader.ts';

/** Events read from the log at once, and the most that a stream ever holds */
export const PAGE_SIZE = 100;
/** Pages read at once by all streams of this process; the rest of the pool is for others. */
const READS_AT_ONCE = 4;

/** One stream that wants a page. */
export interface PageReader {
  /** The read begins now: it sees all that was committed until here. @returns false when nobody wants it any more */
  begins(): boolean;
}

interface PendingPage {
  readonly readers: PageReader[];
  readonly page: Promise<readonly JobEvent[]>;
}

/**
 * Pages of jobs' logs. Streams of one job that stand at the same event share a read, so that an event too large for
 * the bus costs one query and not one per stream; and they share its events, which are then also encoded once. Only a
 * read that has not begun is shared: one under way may have missed what its new reader was told of.
 */
export class LogPages {
  readonly #log: JobLogReader;
  readonly #limit: Limiter = createLimiter(READS_AT_ONCE);
  readonly #pending = new Map<string, PendingPage>();

  constructor(log: JobLogReader) {
    this.#log = log;
  }

  /** At most PAGE_SIZE events with a seq above `after`. */
  read(jobId: string, after: number, reader: PageReader): Promise<readonly JobEvent[]> {
    const key = `${jobId} ${after}`;
    const pending = this.#pending.get(key);
    if (pending) {
      pending.readers.push(reader);
      return pending.page;
    }
    const readers = [reader];
    const page = this.#limit(async () => {
      // All streams that one message of the bus wakes are here by then.
      await Promise.resolve();
      this.#pending.delete(key);
      const isWanted = readers.map((each) => each.begins()).includes(true);
      return isWanted ? this.#log.readEvents(jobId, after, PAGE_SIZE) : [];
    });
    this.#pending.set(key, { readers, page });
    return page;
  }
}
