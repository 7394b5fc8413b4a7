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
    this.#checkedAt = this.#options.timer.now();
    const asked = [...this.#jobs].map(([jobId, { watchers }]) => ({
      jobId,
      watchers,
      present: [...watchers],
    }));
    const answer = await this.#options.log.lastSeqs(asked.map(({ jobId }) => jobId)).catch(toError);
    this.#checking = false;
    if (answer instanceof Error) {
      this.#couldNotAsk(answer);
      return;
    }
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
