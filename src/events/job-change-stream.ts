import type { JobEvent } from '../domain/job.ts';
import {
  PullIterator,
  type Closable,
  type Pulled,
  type PullReader,
  type PullSource,
} from '../lib/pull-iterator.ts';
import type { Timer } from '../lib/timer.ts';
import type { JobHead } from './job-log-reader.ts';
import { isLast, type JobWatch, type JobWatcher } from './job-watch.ts';

/** Between two values of a stream that coalesces */
export const COALESCE_MS = 100;

/** The job is to be read again; `settled`: for the last time. */
export interface JobChange {
  readonly settled: boolean;
}

interface Options {
  readonly watch: JobWatch;
  readonly timer: Timer;
  /** Streams that are being read now */
  readonly open: Set<Closable>;
}

/** At once, then whenever the job changes, the latest wins; ends when it is settled, empty when there is no such job. */
export function createChangeStream(options: Options, jobId: string): PullIterator<JobChange> {
  return new PullIterator(new ChangeSource(options, jobId), options.open);
}

class ChangeSource implements PullSource<JobChange>, JobWatcher {
  readonly #options: Options;
  readonly #jobId: string;
  #reader: PullReader | null = null;
  #release: (() => void) | null = null;
  #cancelPause: (() => void) | null = null;
  #changed = false;
  #settled = false;
  #complete = false;
  #sentAt = Number.NEGATIVE_INFINITY;
  #lastSeq = -1;
  #revision: string | null = null;
  #hintedSinceHead = false;

  constructor(options: Options, jobId: string) {
    this.#options = options;
    this.#jobId = jobId;
  }

  start(reader: PullReader): void {
    this.#reader = reader;
    this.#release = this.#options.watch.watch(this.#jobId, this);
    this.#options.watch.checkSoon();
  }

  release(): void {
    this.#release?.();
    this.#cancelPause?.();
  }

  pull(): Pulled<JobChange> {
    if (this.#complete) return { type: 'end' };
    if (!this.#changed || this.#pausing()) return { type: 'nothing' };
    this.#changed = false;
    this.#sentAt = this.#options.timer.now();
    this.#complete = this.#settled;
    return { type: 'value', value: { settled: this.#settled } };
  }

  get isDry(): boolean {
    return !this.#changed;
  }

  hint(seq: number, event: JobEvent | null): void {
    if (seq <= this.#lastSeq) return;
    this.#lastSeq = seq;
    this.#hintedSinceHead = true;
    this.#changed = true;
    if (isLast(event)) this.#settled = true;
    if (!event) this.#options.watch.checkSoon();
    this.#reader?.wake();
  }

  head(head: JobHead | null): void {
    if (head) this.#compare(head);
    else this.#complete = true;
    this.#reader?.wake();
  }

  failed(error: Error): void {
    this.#reader?.fail(new Error('the job could not be read', { cause: error }));
  }

  /** Hints carry what is numbered; what is not (progress past the log's limit) shows in the revision alone. */
  #compare(head: JobHead): void {
    const told = this.#hintedSinceHead && head.lastSeq <= this.#lastSeq;
    const differs = head.revision !== this.#revision && !told;
    if (differs || head.lastSeq > this.#lastSeq || head.settled !== this.#settled) this.#changed = true;
    this.#settled ||= head.settled;
    this.#lastSeq = Math.max(this.#lastSeq, head.lastSeq);
    this.#revision = head.revision;
    this.#hintedSinceHead = false;
  }

  #pausing(): boolean {
    const pauseMs = this.#sentAt + COALESCE_MS - this.#options.timer.now();
    if (pauseMs <= 0) return false;
    this.#cancelPause ??= this.#options.timer.after(pauseMs, () => {
      this.#cancelPause = null;
      this.#reader?.wake();
    });
    return true;
  }
}
