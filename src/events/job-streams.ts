import type { JobEvent } from '../domain/job.ts';
import { systemClock, type Clock } from '../lib/clock.ts';
import { createLimiter } from '../lib/limiter.ts';
import type { Log } from '../lib/log.ts';
import type { PullIterator } from '../lib/pull-iterator.ts';
import { type Closable } from '../lib/pull-iterator.ts';
import { systemTimer, type Timer } from '../lib/timer.ts';
import type { EventBus } from './bus.ts';
import { createChangeStream, type JobChange } from './job-change-stream.ts';
import { createEventStream } from './job-event-stream.ts';
import type { JobLogReader } from './job-log-reader.ts';
import { JobWatch } from './job-watch.ts';
import { createNotificationStream, type NoticeHint, type NoticeReader } from './notification-stream.ts';
import { createOrganizationStream, type OrganizationChange } from './organization-stream.ts';

/** Pages of the log read at once by all streams of this process; the rest of the pool is for others. */
const READS_AT_ONCE = 4;

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
  /** Streams that are being read now */
  readonly open: number;
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
  const readLimiter = createLimiter(READS_AT_ONCE);
  const open = new Set<Closable>();
  let closed = false;
  const opened = <T>(stream: PullIterator<T>): PullIterator<T> => {
    if (closed) stream.finish();
    return stream;
  };
  return {
    events: (jobId, after) =>
      opened(createEventStream({ watch, log, readLimiter, logger, timer, open }, jobId, after)),
    changes: (jobId) => opened(createChangeStream({ watch, timer, open }, jobId)),
    organizationChanges: (id) => opened(createOrganizationStream({ bus, timer, clock, open }, id)),
    notifications: (reader) => opened(createNotificationStream({ bus, clock, open }, reader)),
    get open() {
      return open.size;
    },
    close() {
      closed = true;
      [...open].forEach((stream) => stream.finish());
    },
  };
}
