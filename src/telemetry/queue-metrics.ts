import { readCanary } from '../repositories/canary.ts';
import type { Database } from '../repositories/db.ts';
import { DEPTH_MAX, readQueueDepths } from '../repositories/queue-depths.ts';
import type { Metrics } from './registry.ts';
import { sampled } from './sampled.ts';

const SAMPLE_MS = 5_000;

/** What Postgres knows of all processes together: the same figures, whichever process is asked. */
export function exposeQueues(metrics: Metrics, db: Database): void {
  const depths = sampled(SAMPLE_MS, () => readQueueDepths(db));
  metrics.gauge({
    name: 'millrace_queue_jobs',
    help: `Jobs of each queue by where they are, counted to ${DEPTH_MAX}: waiting in Postgres, delivered to the broker, running`,
    labels: ['queue', 'state'],
    read: async () =>
      (await depths()).flatMap(({ queue, waiting, delivered, running }) => [
        { labels: { queue, state: 'waiting' }, value: waiting },
        { labels: { queue, state: 'delivered' }, value: delivered },
        { labels: { queue, state: 'running' }, value: running },
      ]),
  });
  const canary = sampled(SAMPLE_MS, () => readCanary(db));
  metrics.gauge({
    name: 'millrace_canary_seconds',
    help: 'What the last canary job took from its start until it was settled: the whole loop, with nothing to do',
    read: async () => readingOf((await canary())?.tookMs),
  });
  metrics.gauge({
    name: 'millrace_canary_age_seconds',
    help: 'Since the last canary job came through; one is started every 15 seconds or so',
    read: async () => readingOf((await canary())?.ageMs),
  });
}

function readingOf(ms: number | undefined): { value: number }[] {
  return ms === undefined ? [] : [{ value: ms / 1_000 }];
}
