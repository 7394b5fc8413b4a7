import { sumHistograms, type Histogram } from '../../domain/histogram.ts';
import { daysOf, type Period } from '../../domain/period.ts';
import {
  changePercent,
  countRuns,
  failurePercent,
  NO_RUNS,
  sumOutcomes,
  type RunOutcomes,
} from '../../domain/run-outcomes.ts';

/** What is known of some runs: of the days that had any, and of the period before. */
export interface KnownRuns {
  readonly days: readonly (RunOutcomes & { readonly day: string })[];
  readonly before: RunOutcomes;
  readonly wait: Histogram;
  readonly run: Histogram;
}

/** What there is to tell of them. */
export interface RunsSummary {
  readonly outcomes: RunOutcomes;
  readonly before: RunOutcomes;
  /** Null where there were none before */
  readonly runsChangePercent: number | null;
  /** In percentage points; null where there is nothing to compare */
  readonly failureChange: number | null;
  readonly wait: Histogram;
  readonly run: Histogram;
  /** Each day of the period, oldest first */
  readonly series: readonly { readonly date: string; readonly outcomes: RunOutcomes }[];
}

export function summarizeRuns(period: Period, parts: readonly KnownRuns[]): RunsSummary {
  const days = parts.flatMap((part) => part.days);
  const outcomes = sumOutcomes(days);
  const before = sumOutcomes(parts.map((part) => part.before));
  const [failing, failed] = [failurePercent(outcomes), failurePercent(before)];
  return {
    outcomes,
    before,
    runsChangePercent: changePercent(countRuns(outcomes), countRuns(before)),
    failureChange: failing === null || failed === null ? null : failing - failed,
    wait: sumHistograms(parts.map(({ wait }) => wait)),
    run: sumHistograms(parts.map(({ run }) => run)),
    series: seriesOf(period, days),
  };
}

function seriesOf(period: Period, days: KnownRuns['days']): RunsSummary['series'] {
  const known = new Map<string, RunOutcomes>();
  for (const { day, ...outcomes } of days) known.set(day, sumOutcomes([known.get(day) ?? NO_RUNS, outcomes]));
  return daysOf(period).map((date) => ({ date, outcomes: known.get(date) ?? NO_RUNS }));
}
