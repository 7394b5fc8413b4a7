import { percentileMs, sumHistograms, type Histogram } from '../../domain/histogram.ts';
import {
  countRuns,
  failurePercent,
  percentOf,
  sumOutcomes,
  type RunOutcomes,
} from '../../domain/run-outcomes.ts';

/** What is known of one kind's runs. */
export interface KindRuns {
  /** As clients name it */
  readonly kind: string;
  readonly days: readonly RunOutcomes[];
  readonly wait: Histogram;
  readonly run: Histogram;
}

/** What is known of one provider. */
export interface ProviderAnswers {
  readonly provider: string;
  readonly pages: number;
  readonly failures: number;
  /** ms */
  readonly latency: Histogram;
}

const SLOWEST_MAX = 10;
const SYNC = 'CONNECTOR_SYNC';

/** The figures that a measurement comes to; `slowestKinds` in order, those that never ran left out. */
export function measure(kinds: readonly KindRuns[], providers: readonly ProviderAnswers[]) {
  return {
    allJobs: figuresOf(kinds),
    syncJobs: figuresOf(kinds.filter(({ kind }) => kind === SYNC)),
    slowestKinds: kinds
      .filter(({ run }) => run.size > 0)
      .map((each) => ({ kind: each.kind, ...figuresOf([each]) }))
      .toSorted((a, b) => (b.run?.p95Ms ?? 0) - (a.run?.p95Ms ?? 0) || (a.kind < b.kind ? -1 : 1))
      .slice(0, SLOWEST_MAX),
    providers: providers.map(({ provider, pages, failures, latency }) => ({
      provider,
      pages,
      failures,
      failurePercent: percentOf(failures, pages + failures),
      latency: percentilesOf(latency),
    })),
  };
}

function figuresOf(kinds: readonly KindRuns[]) {
  const outcomes = sumOutcomes(kinds.flatMap(({ days }) => days));
  const failed = failurePercent(outcomes);
  return {
    runs: countRuns(outcomes),
    succeeded: outcomes.completed + outcomes.warned,
    failed: outcomes.failed,
    successPercent: failed === null ? null : 100 - failed,
    wait: percentilesOf(sumHistograms(kinds.map(({ wait }) => wait))),
    run: percentilesOf(sumHistograms(kinds.map(({ run }) => run))),
  };
}

function percentilesOf(histogram: Histogram) {
  const [p50Ms, p95Ms, p99Ms] = [0.5, 0.95, 0.99].map((share) => percentileMs(histogram, share));
  return p50Ms == null || p95Ms == null || p99Ms == null ? null : { p50Ms, p95Ms, p99Ms };
}
