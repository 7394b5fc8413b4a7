import { percentileMs, type Histogram } from '../../domain/histogram.ts';
import { readQueueStats, type QueueStats } from '../../repositories/queue-stats.ts';
import { defineBatch } from '../batch.ts';
import { builder } from '../builder.ts';

export const MetricsWindow = builder.enumType('MetricsWindow', {
  description: 'The time up to now that figures are about.',
  values: {
    LAST_15_MINUTES: { value: 15, description: 'The last 15 minutes' },
    LAST_HOUR: { value: 60, description: 'The last hour' },
    LAST_24_HOURS: { value: 1_440, description: 'The last 24 hours' },
  } as const,
});

export const Percentiles = builder.objectRef<Histogram>('Percentiles').implement({
  description: 'Durations in ms, each within 10 %.',
  fields: (t) => ({
    p50Ms: t.int({ description: 'Half took at most this', resolve: (values) => percentile(values, 0.5) }),
    p95Ms: t.int({ description: '95 % took at most this', resolve: (values) => percentile(values, 0.95) }),
    p99Ms: t.int({ description: '99 % took at most this', resolve: (values) => percentile(values, 0.99) }),
  }),
});

const percentile = (values: Histogram, share: number): number => percentileMs(values, share) ?? 0;
export const orNull = (values: Histogram): Histogram | null => (values.size === 0 ? null : values);

export const QueueMetrics = builder.objectRef<QueueStats>('QueueMetrics').implement({
  description: "What the organization's settled jobs say about a queue. At most about 20 seconds old.",
  fields: (t) => ({
    finishedCount: t.exposeInt('finished', { description: 'Jobs that were settled, however they ended' }),
    failedCount: t.exposeInt('failed', { description: 'Of those, the failed ones' }),
    finishedPerMinute: t.float({
      description: 'Settled jobs per minute',
      resolve: ({ finished, minutes }) => finished / minutes,
    }),
    failedPerMinute: t.float({
      description: 'Failed jobs per minute',
      resolve: ({ failed, minutes }) => failed / minutes,
    }),
    wait: t.field({
      type: Percentiles,
      nullable: true,
      description:
        'From when a job could have started to the start of its first attempt; null when none was settled that had started',
      resolve: ({ wait }) => orNull(wait),
    }),
    run: t.field({
      type: Percentiles,
      nullable: true,
      description: "How long each job's last attempt took; null when none was settled that had started",
      resolve: ({ run }) => orNull(run),
    }),
  }),
});

/** All queues of a list are read by one statement. */
export const loadQueueStats = defineBatch((ctx, minutes: number, queues: readonly string[]) =>
  readQueueStats(ctx.db, ctx.principal.organization.id, queues, minutes),
);
