import type { EventBus } from '../src/events/bus.ts';
import type { Log } from '../src/lib/log.ts';
import { systemTimer, type Timer } from '../src/lib/timer.ts';
import { announce } from '../src/queue/announce.ts';
import type { Sql } from '../src/repositories/db.ts';
import type { NewJobEvent } from '../src/repositories/job-events.ts';
import { AttemptLostError, passFence, type FencedChange } from '../src/repositories/job-fence.ts';
import type { JobLog } from './context.ts';

/** Between two writes of one attempt; what comes after a longer silence is written at once. */
const FLUSH_MS = 250;
/** Log lines that wait for the next flush; more are dropped, and the log says how many. */
const LINES_MAX = 200;
const LINE_LENGTH_MAX = 2_000;

export const NO_CHANGE: FencedChange = {
  total: null,
  processed: 0,
  succeeded: 0,
  warned: 0,
  failed: 0,
  progressPercent: null,
  progressMessage: null,
  items: [],
  events: [],
};

interface ReporterDeps {
  readonly db: Sql;
  readonly bus: EventBus;
  readonly log: Log;
  readonly jobId: string;
  readonly delivery: number;
  readonly timer?: Timer;
  onLost(): void;
}

/** Gathers an attempt's progress and log lines and writes them together, a few times a second, behind the fence. */
export class Reporter {
  private readonly deps: ReporterDeps;
  private lines: NewJobEvent[] = [];
  private dropped = 0;
  private progress: { percent: number | null; note: string | null } | null = null;
  private readonly timer: Timer;
  private cancelScheduled: (() => void) | null = null;
  private wroteAt = Number.NEGATIVE_INFINITY;
  private writing: Promise<void> = Promise.resolve();

  constructor(deps: ReporterDeps) {
    this.deps = deps;
    this.timer = deps.timer ?? systemTimer;
  }

  readonly log: JobLog = {
    debug: (message) => this.line('debug', message),
    info: (message) => this.line('info', message),
    warn: (message) => this.line('warn', message),
    error: (message) => this.line('error', message),
  };

  /** The latest wins. */
  report(done: number, total: number | null, note?: string): void {
    const percent =
      total === null || total <= 0 ? null : Math.max(0, Math.min(100, Math.floor((100 * done) / total)));
    this.progress = { percent, note: note?.slice(0, LINE_LENGTH_MAX) ?? null };
    this.schedule();
  }

  /** Writes what waits and stops the timer; call it before the attempt settles. Failures are logged. */
  async flush(): Promise<void> {
    this.cancelScheduled?.();
    this.cancelScheduled = null;
    this.writing = this.writing.then(() => this.write());
    await this.writing;
  }

  /** Writes lines that wait, so that what comes next stands behind them in the log. */
  async flushLines(): Promise<void> {
    if (this.lines.length > 0) await this.flush();
  }

  private line(level: 'debug' | 'info' | 'warn' | 'error', message: string): void {
    this.deps.log[level]({ jobId: this.deps.jobId }, message);
    if (this.lines.length >= LINES_MAX) this.dropped += 1;
    else
      this.lines.push({
        type: 'log',
        level,
        message: message.replaceAll('\u0000', '').slice(0, LINE_LENGTH_MAX),
      });
    this.schedule();
  }

  private schedule(): void {
    if (this.cancelScheduled) return;
    const waitMs = this.wroteAt + FLUSH_MS - this.timer.now();
    this.cancelScheduled = waitMs > 0 ? this.timer.after(waitMs, () => void this.flush()) : this.soon();
  }

  /** As soon as the handler waits for something: what it told until then goes out together. */
  private soon(): () => void {
    let isCancelled = false;
    queueMicrotask(() => {
      if (!isCancelled) void this.flush();
    });
    return () => (isCancelled = true);
  }

  private async write(): Promise<void> {
    const { lines, progress, dropped } = this;
    if (lines.length === 0 && !progress) return;
    this.wroteAt = this.timer.now();
    this.lines = [];
    this.progress = null;
    this.dropped = 0;
    const events: NewJobEvent[] = [...lines];
    if (dropped > 0)
      events.push({
        type: 'log',
        level: 'warn',
        message: `${dropped} log lines came too fast and are not kept.`,
      });
    if (progress)
      events.push({ type: 'progress', message: progress.note, progressPercent: progress.percent });
    const { db, bus, jobId, delivery } = this.deps;
    try {
      const change = {
        ...NO_CHANGE,
        events,
        progressPercent: progress?.percent ?? null,
        progressMessage: progress?.note ?? null,
      };
      announce(bus, await passFence(db, jobId, delivery, change));
    } catch (error) {
      if (error instanceof AttemptLostError) this.deps.onLost();
      else this.deps.log.warn({ err: error, jobId }, 'progress could not be written');
    }
  }
}
