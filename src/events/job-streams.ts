import type { JobEvent } from '../domain/job.ts';
import type { PanelKey } from '../domain/panel.ts';
import { raceAbort, sleep } from '../lib/abort.ts';
import { systemClock, type Clock } from '../lib/clock.ts';
import type { Log } from '../lib/log.ts';
import { PullIterator, type Closable, type PullSource } from '../lib/pull-iterator.ts';
import { systemTimer, type Timer } from '../lib/timer.ts';
import type { EventBus } from './bus.ts';
import { createChangeStream, type JobChange } from './job-change-stream.ts';
import { createEventStream } from './job-event-stream.ts';
import type { JobLogReader } from './job-log-reader.ts';
import { JobWatch } from './job-watch.ts';
import { LogPages } from './log-pages.ts';
import { createNotificationStream, type NoticeHint, type NoticeReader } from './notification-stream.ts';
import { createOrganizationStream, type OrganizationChange } from './organization-stream.ts';
import { createPanelStream } from './panel-stream.ts';

/** Between two looks whether all readers have taken what was due, in ms. */
const DRAIN_POLL_MS = 10;

export interface JobStreamsOptions {
  readonly bus: EventBus;
  readonly log: JobLogReader;
  readonly logger: Log;
  readonly timer?: Timer;
  readonly clock?: Clock;
}

/**
 * Live streams over jobs. A stream attaches to the bus at its first `next()` and lets go at `return()`, also while a
 * `next()` is pending. Postgres away for a minute ends streams of jobs with an error.
 */
export interface JobStreams {
  /** Events with a seq above `after`, in order, none missing, none twice; ends after the one that settles the job. */
  events(jobId: string, after: number): AsyncIterableIterator<JobEvent, undefined>;
  /** At once, then at most about ten times a second when the job changed, the latest wins; ends when it is settled. */
  changes(jobId: string): AsyncIterableIterator<JobChange, undefined>;
  /** Batches of jobs that started or changed; a moment instead where some may have been missed. */
  organizationChanges(organizationId: string): AsyncIterableIterator<OrganizationChange, undefined>;
  /** Notices that come for one recipient; a moment instead where some may have been missed. */
  notifications(reader: NoticeReader): AsyncIterableIterator<NoticeHint, undefined>;
  /** Panels whose figures, or whose sources, are others than before, a few times a second at most; all, where hints were lost. */
  panelChanges(organizationId: string): AsyncIterableIterator<readonly PanelKey[], undefined>;
  /** Streams that are being read now */
  readonly open: number;
  /**
   * For a process that goes away: resolves when every reader has taken what was written until now, or after
   * `timeoutMs`. Streams that are asked for from now on give nothing: an end would look like the end of the job.
   */
  drain(timeoutMs: number): Promise<void>;
  /** Ends all streams. */
  close(): void;
}

export function createJobStreams({
  bus,
  log,
  logger,
  timer = systemTimer,
  clock = systemClock,
}: JobStreamsOptions): JobStreams {
  const watch = new JobWatch({ bus, log, logger, timer });
  const pages = new LogPages(log);
  const open = new Set<Closable>();
  let state: 'open' | 'draining' | 'closed' = 'open';
  const opened = <T>(stream: PullIterator<T>): PullIterator<T> => {
    if (state === 'draining') return new PullIterator<T>(silence, open);
    if (state === 'closed') stream.finish();
    return stream;
  };
  return {
    events: (jobId, after) => opened(createEventStream({ watch, pages, logger, timer, open }, jobId, after)),
    changes: (jobId) => opened(createChangeStream({ watch, timer, open }, jobId)),
    organizationChanges: (id) => opened(createOrganizationStream({ bus, timer, clock, open }, id)),
    notifications: (reader) => opened(createNotificationStream({ bus, clock, open }, reader)),
    panelChanges: (organizationId) => opened(createPanelStream({ bus, timer, open }, organizationId)),
    get open() {
      return open.size;
    },
    async drain(timeoutMs) {
      state = 'draining';
      const late = AbortSignal.timeout(timeoutMs);
      await raceAbort(watch.refresh(), late).catch(() => undefined);
      while (!late.aborted && [...open].some((stream) => !stream.isIdle)) await sleep(DRAIN_POLL_MS, late);
    },
    close() {
      state = 'closed';
      [...open].forEach((stream) => stream.finish());
    },
  };
}

/** Gives nothing for as long as it is read. */
const silence: PullSource<never> = {
  start: () => undefined,
  pull: () => ({ type: 'nothing' }),
  isDry: true,
  release: () => undefined,
};
