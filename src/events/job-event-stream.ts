import { isTerminal } from '../domain/job-event.ts';
import type { JobEvent } from '../domain/job.ts';
import { toError } from '../lib/abort.ts';
import { backoffMs } from '../lib/backoff.ts';
import { BoundedBuffer } from '../lib/bounded-buffer.ts';
import type { Log } from '../lib/log.ts';
import {
  PullIterator,
  type Closable,
  type Pulled,
  type PullReader,
  type PullSource,
} from '../lib/pull-iterator.ts';
import type { Timer } from '../lib/timer.ts';
import type { JobHead } from './job-log-reader.ts';
import { isLast, PATIENCE_MS, RETRY, type JobWatch, type JobWatcher } from './job-watch.ts';
import { PAGE_SIZE, type LogPages, type PageReader } from './log-pages.ts';

/** Live events kept for a reader that is behind; one more, and it reads the log instead */
const LIVE_EVENTS_MAX = 64;

export interface EventStreamOptions {
  readonly watch: JobWatch;
  readonly pages: LogPages;
  readonly logger: Log;
  readonly timer: Timer;
  /** Streams that are being read now */
  readonly open: Set<Closable>;
}

/** One job's events after `after`: none missing, none twice, in order; ends after the event that settles the job. */
export function createEventStream(
  options: EventStreamOptions,
  jobId: string,
  after: number,
): PullIterator<JobEvent> {
  return new PullIterator(new EventSource(options, jobId, after), options.open);
}

class EventSource implements PullSource<JobEvent>, JobWatcher, PageReader {
  readonly #options: EventStreamOptions;
  readonly #jobId: string;
  readonly #queue = new BoundedBuffer<JobEvent>(PAGE_SIZE);
  #reader: PullReader | null = null;
  #release: (() => void) | null = null;
  #cancelRetry: (() => void) | null = null;
  /** Seq of the event to be queued next */
  #next: number;
  /** The log holds, or may hold, what was not queued; stays true until a page has been read to its end */
  #behind = true;
  #reading = false;
  /** Highest seq heard of while the log was being read */
  #heard = 0;
  #emptyReads = 0;
  #failures = 0;
  #failingSince: number | null = null;
  /** Nothing comes after what is queued */
  #complete = false;
  #released = false;

  constructor(options: EventStreamOptions, jobId: string, after: number) {
    this.#options = options;
    this.#jobId = jobId;
    this.#next = after + 1;
  }

  start(reader: PullReader): void {
    this.#reader = reader;
    this.#release = this.#options.watch.watch(this.#jobId, this);
  }

  release(): void {
    this.#released = true;
    this.#release?.();
    this.#cancelRetry?.();
    this.#queue.clear();
  }

  pull(): Pulled<JobEvent> {
    const value = this.#queue.shift();
    if (value) return { type: 'value', value };
    if (this.#complete) return { type: 'end' };
    if (this.#behind && !this.#reading) void this.#read();
    return { type: 'nothing' };
  }

  get isDry(): boolean {
    return this.#queue.size === 0 && !this.#behind && !this.#reading;
  }

  begins(): boolean {
    this.#heard = 0;
    return !this.#released;
  }

  hint(seq: number, event: JobEvent | null): void {
    if (this.#complete) return;
    if (seq < this.#next) {
      // A reader that asked for what comes after the end.
      if (isLast(event)) this.#options.watch.checkSoon();
      return;
    }
    const straight = seq === this.#next && !this.#behind && this.#queue.size < LIVE_EVENTS_MAX;
    if (straight && event) this.#queueEvent(event);
    else this.#fallBehind(seq);
    this.#reader?.wake();
  }

  head(head: JobHead | null): void {
    if (head && head.lastSeq >= this.#next) {
      // What a settled job's log does not hold by now was pruned: it cannot be sent any more.
      if (head.settled && this.#emptyReads > 1) this.#complete = true;
      else this.#fallBehind(head.lastSeq);
    } else if (!head || head.settled) this.#complete = true;
    this.#reader?.wake();
  }

  failed(error: Error): void {
    this.#reader?.fail(new Error('the log of the job could not be read', { cause: error }));
  }

  #fallBehind(seq: number): void {
    this.#behind = true;
    if (this.#reading) this.#heard = Math.max(this.#heard, seq);
  }

  #queueEvent(event: JobEvent): void {
    if (this.#complete || event.seq < this.#next) return;
    if (event.seq > this.#next) {
      this.#options.logger.warn(
        { jobId: this.#jobId, expected: this.#next, got: event.seq },
        'a log of events has a hole',
      );
    }
    this.#queue.offer(event);
    this.#next = event.seq + 1;
    this.#complete = isTerminal(event);
  }

  /** One page. Only called with an empty queue, so that a page always fits. */
  async #read(): Promise<void> {
    this.#reading = true;
    const page = await this.#options.pages.read(this.#jobId, this.#next - 1, this).catch(toError);
    if (this.#released) return;
    if (page instanceof Error) {
      this.#couldNotRead(page);
      return;
    }
    this.#failures = 0;
    this.#failingSince = null;
    this.#reading = false;
    page.forEach((event) => this.#queueEvent(event));
    this.#behind = page.length === PAGE_SIZE || this.#heard >= this.#next;
    this.#emptyReads = page.length === 0 ? this.#emptyReads + 1 : 0;
    // Nothing to read: either it has yet to happen, or the job was settled before and nothing ever will.
    if (page.length === 0 && this.#emptyReads <= 2) this.#options.watch.checkSoon();
    this.#reader?.wake();
  }

  /** `#reading` stays true: until the next try nothing else reads. */
  #couldNotRead(error: Error): void {
    const { logger, timer } = this.#options;
    const now = timer.now();
    this.#failures += 1;
    this.#failingSince ??= now;
    if (this.#failures === 1)
      logger.warn({ err: error, jobId: this.#jobId }, 'the log of a job could not be read');
    if (now - this.#failingSince >= PATIENCE_MS) {
      this.failed(error);
      return;
    }
    this.#cancelRetry = timer.after(backoffMs(RETRY, this.#failures), () => void this.#read());
  }
}
