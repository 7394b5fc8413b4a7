import { performance } from 'node:perf_hooks';
import type { BusAdapter } from '../events/adapter.ts';
import type { Database } from '../repositories/db.ts';
import type { LoopLag } from './loop-lag.ts';
import type { Metrics } from './registry.ts';

interface ProcessParts {
  readonly db: Database;
  readonly bus: BusAdapter;
  readonly lag: LoopLag;
}

/** What every process tells of itself: memory, processor, event loop, connections, event bus. */
export function exposeProcess(metrics: Metrics, { db, bus, lag }: ProcessParts): void {
  metrics.gauge({
    name: 'process_resident_memory_bytes',
    help: 'Memory of the process',
    read: () => [{ value: process.memoryUsage.rss() }],
  });
  metrics.gauge({
    name: 'nodejs_heap_used_bytes',
    help: 'What lives on the JavaScript heap',
    read: () => [{ value: process.memoryUsage().heapUsed }],
  });
  metrics.counter({
    name: 'process_cpu_seconds_total',
    help: 'Processor time of the process, user and system',
    read: () => {
      const { user, system } = process.cpuUsage();
      return [{ value: (user + system) / 1e6 }];
    },
  });
  metrics.gauge({
    name: 'process_start_time_seconds',
    help: 'When the process started, in seconds since 1970',
    read: () => [{ value: performance.timeOrigin / 1_000 }],
  });
  metrics.gauge({
    name: 'millrace_event_loop_lag_seconds',
    help: 'The longest that the event loop kept a timer waiting in the last 10 to 20 seconds',
    read: () => [{ value: lag.recentMs() / 1_000 }],
  });
  exposePool(metrics, db);
  exposeBus(metrics, bus);
}

function exposePool(metrics: Metrics, { pool }: Database): void {
  metrics.gauge({
    name: 'millrace_db_connections',
    help: "Connections of the process' pool; waiting: callers that wait for one",
    labels: ['state'],
    read: () => [
      { labels: { state: 'busy' }, value: pool.totalCount - pool.idleCount },
      { labels: { state: 'idle' }, value: pool.idleCount },
      { labels: { state: 'waiting' }, value: pool.waitingCount },
    ],
  });
}

function exposeBus(metrics: Metrics, bus: BusAdapter): void {
  metrics.gauge({
    name: 'millrace_bus_connected',
    help: '1 while the link to the event bus is up',
    read: () => [{ value: bus.connected ? 1 : 0 }],
  });
  metrics.gauge({
    name: 'millrace_bus_publish_lag_seconds',
    help: 'How long the oldest message of the last payload had waited when the broker had taken it',
    read: () => [{ value: bus.stats.publishLagMs / 1_000 }],
  });
  metrics.gauge({
    name: 'millrace_bus_listeners',
    help: 'Listeners attached now',
    read: () => [{ value: bus.listeners }],
  });
  metrics.counter({
    name: 'millrace_bus_trouble_total',
    help: 'Hints that were lost or could not be read; the event log has them all the same',
    labels: ['type'],
    read: () => [
      { labels: { type: 'malformed' }, value: bus.stats.malformed },
      { labels: { type: 'dropped' }, value: bus.stats.dropped },
      { labels: { type: 'failed' }, value: bus.stats.failed },
      { labels: { type: 'listener_error' }, value: bus.stats.listenerErrors },
    ],
  });
}
