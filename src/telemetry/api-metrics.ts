import type { BusAdapter } from '../events/adapter.ts';
import type { JobCatalogue } from '../jobs/define.ts';
import type { Log } from '../lib/log.ts';
import type { Database } from '../repositories/db.ts';
import { countStarts } from './job-metrics.ts';
import type { LoopLag } from './loop-lag.ts';
import { exposeProcess } from './process-metrics.ts';
import { exposeQueues } from './queue-metrics.ts';
import { Metrics } from './registry.ts';

interface ApiMetricsOptions {
  readonly db: Database;
  readonly bus: BusAdapter;
  readonly catalogue: JobCatalogue;
  readonly lag: LoopLag;
  readonly log: Log;
  /** Live streams of jobs that somebody reads now */
  openStreams(): number;
  /** Entries of the audit trail that could not be written */
  auditsLost(): number;
}

/** What an API process measures. */
export function createApiMetrics(options: ApiMetricsOptions): {
  readonly metrics: Metrics;
  readonly onStarted: (kind: string) => void;
} {
  const { db, bus, catalogue, lag, log, openStreams, auditsLost } = options;
  const metrics = new Metrics(log);
  exposeProcess(metrics, { db, bus, lag });
  exposeQueues(metrics, db);
  metrics.gauge({
    name: 'millrace_streams_open',
    help: 'Live streams of jobs that somebody reads now',
    read: () => [{ value: openStreams() }],
  });
  metrics.counter({
    name: 'millrace_audit_entries_lost_total',
    help: 'Entries of the audit trail that could not be written; the log has them',
    read: () => [{ value: auditsLost() }],
  });
  return { metrics, onStarted: countStarts(metrics, catalogue) };
}
