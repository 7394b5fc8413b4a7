import { isTerminal, toJobErrorCode } from '../domain/job-event.ts';
import type { JobEvent } from '../domain/job.ts';
import { toError } from '../lib/abort.ts';
import { backoffMs, type BackoffPolicy } from '../lib/backoff.ts';
import type { Log } from '../lib/log.ts';
import type { Timer } from '../lib/timer.ts';
import type { BusDelivery, EventBus, TopicMessage } from './bus.ts';
import type { JobHead, JobLogReader } from './job-log-reader.ts';

/** Between two questions for the heads of all watched jobs: a lost hint is found within it. */
const CHECK_INTERVAL_MS = 2_000;
/** Questions asked out of turn are at least this far apart. */
const CHECK_SPACING_MS = 50;
/** Postgres may be away this long before the streams end with an error. */
export const PATIENCE_MS = 60_000;
export const RETRY: BackoffPolicy = { baseMs: 100, maxMs: 5_000 };

/** What one stream hears of its job. None of it may throw. */
export interface JobWatcher {
  /** The bus says that this event was written; `event` is null when it was too large to travel */
  hint(seq: number, event: JobEvent | null): void;
  /** What the database says; null: there is no such job */
  head(head: JobHead | null): void;
  /** The database could not be asked for PATIENCE_MS */
  failed(error: Error): void;
}

interface Options {
  readonly bus: EventBus;
  readonly log: JobLogReader;
  readonly logger: Log;
  readonly timer: Timer;
}

/** A job whose head is asked for, and the streams that then watched it. */
interface Asked {
  readonly jobId: string;
  readonly watchers: ReadonlySet<JobWatcher>;
  readonly present: readonly JobWatcher[];
}

/** All jobs that somebody in this process watches: hints from the bus, and heads for what the bus lost. */
export class JobWatch {
  readonly #options: Options;
  readonly #jobs = new Map<string, { readonly watchers: Set<JobWatcher>; readonly detach: () => void }>();
  #cancelTimer: (() => void) | null = null;
  #checking = false;
  #again = false;
  #checkedAt = Number.NEGATIVE_INFINITY;
  #failures = 0;
  #failingSince: number | null = null;
  /** Wait for the answer to a question that has not been asked yet */
  #waiting: (() => void)[] = [];

  constructor(options: Options) {
    this.#options = options;
  }

  /** Jobs watched now */
  get size(): number {
    return this.#jobs.size;
  }

  /** @returns how to stop, safe to call twice */
  watch(jobId: string, watcher: JobWatcher): () => void {
    const watchers = this.#jobs.get(jobId)?.watchers ?? this.#attach(jobId);
    watchers.add(watcher);
    if (!this.#cancelTimer) this.#schedule(CHECK_INTERVAL_MS);
    return () => {
      if (watchers.delete(watcher) && watchers.size === 0) this.#detach(jobId);
    };
  }

  /** Asks for the heads of all watched jobs as soon as may be; many wishes make one question. */
  checkSoon(): void {
    if (this.#checking) this.#again = true;
    else if (this.#failures === 0)
      this.#schedule(this.#checkedAt + CHECK_SPACING_MS - this.#options.timer.now());
  }

  /** Resolves when all watchers have heard heads that were read after this call, or when these could not be read. */
  refresh(): Promise<void> {
    if (this.#jobs.size === 0) return Promise.resolve();
    return new Promise((resolve) => {
      this.#waiting.push(resolve);
      this.checkSoon();
    });
  }

  #attach(jobId: string): Set<JobWatcher> {
    const watchers = new Set<JobWatcher>();
    const detach = this.#options.bus.on('jobEvent', jobId, (delivery) => this.#deliver(watchers, delivery));
    this.#jobs.set(jobId, { watchers, detach });
    return watchers;
  }

  #detach(jobId: string): void {
    this.#jobs.get(jobId)?.detach();
    this.#jobs.delete(jobId);
    if (this.#jobs.size > 0) return;
    this.#waiting.splice(0).forEach((resolve) => resolve());
    this.#cancelTimer?.();
    this.#cancelTimer = null;
    this.#failures = 0;
    this.#failingSince = null;
  }

  #deliver(watchers: ReadonlySet<JobWatcher>, delivery: BusDelivery<'jobEvent'>): void {
    if (delivery.type === 'gap') {
      this.checkSoon();
      return;
    }
    const event = toJobEvent(delivery.message);
    for (const watcher of [...watchers]) watcher.hint(delivery.message.seq, event);
  }

  #schedule(delayMs: number): void {
    this.#cancelTimer?.();
    this.#cancelTimer = this.#options.timer.after(Math.max(0, delayMs), () => {
      this.#cancelTimer = null;
      void this.#check();
    });
  }

  async #check(): Promise<void> {
    if (this.#checking || this.#jobs.size === 0) return;
    this.#checking = true;
    this.#again = false;
    const waiting = this.#waiting.splice(0);
    this.#checkedAt = this.#options.timer.now();
    const asked: Asked[] = [...this.#jobs].map(([jobId, { watchers }]) => ({
      jobId,
      watchers,
      present: [...watchers],
    }));
    const answer = await this.#options.log.lastSeqs(asked.map(({ jobId }) => jobId)).catch(toError);
    this.#checking = false;
    if (answer instanceof Error) this.#couldNotAsk(answer);
    else this.#tell(asked, answer);
    waiting.forEach((resolve) => resolve());
  }

  #tell(asked: readonly Asked[], answer: ReadonlyMap<string, JobHead>): void {
    this.#failures = 0;
    this.#failingSince = null;
    for (const { jobId, watchers, present } of asked) {
      const head = answer.get(jobId) ?? null;
      present.filter((watcher) => watchers.has(watcher)).forEach((watcher) => watcher.head(head));
    }
    if (this.#jobs.size > 0) this.#schedule(this.#pauseMs());
  }

  #pauseMs(): number {
    return this.#again ? CHECK_SPACING_MS : CHECK_INTERVAL_MS;
  }

  #couldNotAsk(error: Error): void {
    const now = this.#options.timer.now();
    this.#failures += 1;
    this.#failingSince ??= now;
    if (this.#failures === 1)
      this.#options.logger.warn({ err: error }, 'the heads of watched jobs could not be read');
    if (now - this.#failingSince >= PATIENCE_MS) {
      [...this.#jobs.values()]
        .flatMap(({ watchers }) => [...watchers])
        .forEach((watcher) => watcher.failed(error));
    }
    if (this.#jobs.size > 0) this.#schedule(backoffMs(RETRY, this.#failures));
  }
}

function toJobEvent({ seq, event }: TopicMessage<'jobEvent'>): JobEvent | null {
  return event ? { ...event, seq, at: new Date(event.at), errorCode: toJobErrorCode(event.errorCode) } : null;
}

/** A hint that settles its job */
export function isLast(event: JobEvent | null): boolean {
  return event !== null && isTerminal(event);
}
