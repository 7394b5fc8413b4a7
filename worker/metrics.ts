import { Counter } from 'prom-client';
import type { BusAdapter } from '../src/events/adapter.ts';
import type { JobCatalogue } from '../src/jobs/define.ts';
import type { Log } from '../src/lib/log.ts';
import type { Database } from '../src/repositories/db.ts';
import { countStarts, measureAttempts, type MeasureAttempt } from '../src/telemetry/job-metrics.ts';
import type { LoopLag } from '../src/telemetry/loop-lag.ts';
import { exposeProcess } from '../src/telemetry/process-metrics.ts';
import { exposeQueues } from '../src/telemetry/queue-metrics.ts';
import { Metrics } from '../src/telemetry/registry.ts';
import type { SupervisedConsumer } from './supervised-consumer.ts';

interface WorkerMetricsOptions {
  readonly db: Database;
  readonly bus: BusAdapter;
  readonly catalogue: JobCatalogue;
  readonly lag: LoopLag;
  readonly log: Log;
}

export interface WorkerMetrics {
  readonly metrics: Metrics;
  readonly measure: MeasureAttempt;
  readonly onStarted: (kind: string) => void;
  readonly onTakeover: (jobs: number) => void;
  readonly onRedelivery: (queue: string, deliveries: number) => void;
  readonly onRebuild: (queue: string) => void;
}

/** What a worker measures; its parts are told where to count. */
export function createWorkerMetrics({ db, bus, catalogue, lag, log }: WorkerMetricsOptions): WorkerMetrics {
  const metrics = new Metrics(log);
  const registers = [metrics.registry];
  exposeProcess(metrics, { db, bus, lag });
  exposeQueues(metrics, db);
  const takeovers = new Counter({
    name: 'millrace_takeovers_total',
    help: 'Jobs that this process took over from dead workers',
    registers,
  });
  const redeliveries = new Counter({
    name: 'millrace_redeliveries_total',
    help: 'Deliveries that this process issued again because the broker had lost them',
    labelNames: ['queue'],
    registers,
  });
  const rebuilds = new Counter({
    name: 'millrace_deaf_rebuilds_total',
    help: 'Consumers of this process that were connected, fetched nothing and were built anew',
    labelNames: ['queue'],
    registers,
  });
  return {
    metrics,
    measure: measureAttempts(metrics, catalogue),
    onStarted: countStarts(metrics, catalogue),
    onTakeover: (jobs) => takeovers.inc(jobs),
    onRedelivery: (queue, deliveries) => redeliveries.inc({ queue }, deliveries),
    onRebuild: (queue) => rebuilds.inc({ queue }),
  };
}

/** Slots of each queue, once there are consumers. */
export function exposeSlots(metrics: Metrics, consumers: readonly SupervisedConsumer[]): void {
  metrics.gauge({
    name: 'millrace_slots',
    help: 'Jobs that this process may run at once (0: the queue is paused), and those that it runs',
    labels: ['queue', 'state'],
    read: () =>
      consumers.flatMap(({ queue, concurrency, busy }) => [
        { labels: { queue, state: 'total' }, value: concurrency },
        { labels: { queue, state: 'busy' }, value: busy },
      ]),
  });
  metrics.gauge({
    name: 'millrace_deaf',
    help: '1 while jobs wait in a queue that this process has free slots for and fetches none',
    labels: ['queue'],
    read: () => consumers.map(({ queue, deaf }) => ({ labels: { queue }, value: deaf ? 1 : 0 })),
  });
}
