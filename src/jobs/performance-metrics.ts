import { z } from 'zod';
import { periodInput } from '../domain/period.ts';
import { defineJob } from './define.ts';

const count = z.int().meta({ graphql: 'SafeInt' });
const percent = z.number().min(0).max(100).nullable();
const day = z.iso.date().meta({ graphql: 'Date' });

const percentiles = z
  .object({
    p50Ms: z.int().meta({ description: 'Half took at most this' }),
    p95Ms: z.int().meta({ description: '95 % took at most this' }),
    p99Ms: z.int().meta({ description: '99 % took at most this' }),
  })
  .meta({ id: 'MeasuredPercentiles', description: 'Durations in ms, each within 10 %.' });

const figures = {
  runs: count.meta({ description: 'Jobs that were settled, however they ended' }),
  succeeded: count.meta({ description: 'Of those, completed ones, with or without warnings' }),
  failed: count.meta({ description: 'Of those, the failed ones' }),
  successPercent: percent.meta({
    description: 'Share of the succeeded among those that nobody cancelled; null where there are none',
  }),
  wait: percentiles
    .nullable()
    .meta({ description: 'From when it could have started to its first start; null when none had started' }),
  run: percentiles.nullable().meta({
    description:
      'From its first start to its end, retries and what lies between them included; null as `wait`',
  }),
};

const runs = z
  .object(figures)
  .meta({ id: 'MeasuredRuns', description: 'How jobs fared, and how long they took.' });

const kind = z
  .object({ kind: z.string().meta({ description: 'As JobKind has it' }), ...figures })
  .meta({ id: 'MeasuredKind', description: 'How the jobs of one kind fared.' });

const provider = z
  .object({
    provider: z.string().meta({ description: 'Its short name: "stripe"' }),
    pages: count.meta({ description: 'Answers that were read' }),
    failures: count.meta({ description: 'Requests that came to nothing' }),
    failurePercent: percent.meta({ description: 'Share of the failures; null where nothing was asked' }),
    latency: percentiles.nullable().meta({ description: 'How long an answer took; null without any' }),
  })
  .meta({ id: 'MeasuredProvider', description: 'How a provider answered.' });

/** How fast and how well the organization's work ran. */
export const performanceMetrics = defineJob({
  kind: 'performance_metrics',
  version: 1,
  queue: 'default',
  title: 'Measure performance',
  input: z.object({
    period: periodInput.nullish().meta({
      description: 'Days to measure, counted when the job runs; default: 30 days, today included',
    }),
  }),
  output: z.object({
    from: day.meta({ description: "First day, of the organization's calendar" }),
    to: day.meta({ description: 'Last day' }),
    allJobs: runs.meta({ description: 'All jobs' }),
    syncJobs: runs.meta({ description: 'Of those, the syncs of connected accounts' }),
    slowestKinds: z.array(kind).meta({
      description: 'Kinds by the 95th percentile of their run times, the slowest first; at most 10',
    }),
    providers: z.array(provider).meta({ description: 'Providers that were read from, by name' }),
  }),
  retry: { maxAttempts: 3, backoff: { baseMs: 1_000, maxMs: 30_000 } },
  timeoutMs: 60_000,
  cacheable: true,
  startable: 'api',
});
