import type { PanelFailure, PanelSource, PanelState, SourceReport } from './reading.ts';

interface Standing {
  readonly state: PanelState;
  readonly asOf: Date | null;
  readonly failure: PanelFailure | null;
}

/**
 * A panel's state follows from those of its sources. One source with figures is enough to show values; they are STALE
 * when a source that counts is stale or fails, and as old as the oldest figures in them. A source that is loading for
 * the first time does not hold up the others.
 */
export function standingOf(reports: readonly SourceReport[]): Standing {
  const counted = reports.filter((report) => report.counted);
  const failure = counted.map(failureOf).find((found) => found !== null) ?? null;
  const asOf = earliest(counted.map(asOfOf).filter((found) => found !== null));
  if (asOf) {
    const stale = failure !== null || counted.some((report) => report.state === 'STALE');
    return { state: stale ? 'STALE' : 'READY', asOf, failure };
  }
  if (failure) return { state: 'FAILED', asOf: null, failure };
  const loading = counted.some((report) => report.state === 'LOADING');
  return { state: loading ? 'LOADING' : 'NOT_CONNECTED', asOf: null, failure: null };
}

/** A report as readers see it. */
export function toSource(report: SourceReport): PanelSource {
  const asOf = asOfOf(report);
  return {
    label: report.label,
    state: report.state,
    asOf,
    failure: failureOf(report),
    included: report.counted && asOf !== null,
  };
}

function asOfOf(report: SourceReport): Date | null {
  return report.state === 'READY' || report.state === 'STALE' ? report.asOf : null;
}

function failureOf(report: SourceReport): PanelFailure | null {
  return report.state === 'FAILED' || report.state === 'STALE' ? report.failure : null;
}

function earliest(dates: readonly Date[]): Date | null {
  return dates.reduce<Date | null>((first, date) => (first && first <= date ? first : date), null);
}
