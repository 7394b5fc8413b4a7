import { Counter, Histogram } from 'prom-client';
import { isSettled, type JobStatus } from '../domain/job-status.ts';
import type { JobCatalogue } from '../jobs/define.ts';
import { kindLabels } from './kind-label.ts';
import type { Metrics } from './registry.ts';

/** Counts the jobs that this process starts. @returns to be called once for each */
export function countStarts({ registry }: Metrics, catalogue: JobCatalogue): (kind: string) => void {
  const label = kindLabels(catalogue);
  const started = new Counter({
    name: 'millrace_jobs_started_total',
    help: 'Jobs that this process started, without those that were replayed',
    labelNames: ['kind'],
    registers: [registry],
  });
  return (kind) => started.inc({ kind: label(kind) });
}

/** Where an attempt's job went; null: it was not the attempt's any more. */
export type AttemptEnd = { readonly outcome: string | null; readonly status: JobStatus } | null;

export interface MeasuredAttempt {
  /** The handler is done, and the job not yet settled */
  ran(): void;
  ended(end: AttemptEnd): void;
}

/** Tells of an attempt that was claimed. @param claimSeconds from the moment its delivery was fetched */
export type MeasureAttempt = (kind: string, claimSeconds: number) => MeasuredAttempt;

const SECONDS = {
  claim: [0.002, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 5, 30],
  run: [0.005, 0.025, 0.1, 0.5, 1, 5, 15, 60, 300, 1_800, 7_200],
};

/** Counts and times the attempts of this process. */
export function measureAttempts({ registry }: Metrics, catalogue: JobCatalogue): MeasureAttempt {
  const label = kindLabels(catalogue);
  const registers = [registry];
  const settled = new Counter({
    name: 'millrace_jobs_settled_total',
    help: 'Jobs that an attempt of this process brought to their last status',
    labelNames: ['kind', 'status'],
    registers,
  });
  const attempts = new Counter({
    name: 'millrace_attempts_total',
    help: 'Attempts of this process, by how they ended; lost: the job was taken from it meanwhile',
    labelNames: ['kind', 'outcome'],
    registers,
  });
  const claim = new Histogram({
    name: 'millrace_attempt_claim_seconds',
    help: 'From the moment a delivery was fetched until its attempt began',
    labelNames: ['kind'],
    buckets: SECONDS.claim,
    registers,
  });
  const run = new Histogram({
    name: 'millrace_attempt_run_seconds',
    help: 'What the handler of an attempt took',
    labelNames: ['kind'],
    buckets: SECONDS.run,
    registers,
  });
  return (jobKind, claimSeconds) => {
    const kind = label(jobKind);
    claim.observe({ kind }, claimSeconds);
    const ran = run.startTimer({ kind });
    return {
      ran: () => void ran(),
      ended(end) {
        attempts.inc({ kind, outcome: end?.outcome ?? 'lost' });
        if (end && isSettled(end.status)) settled.inc({ kind, status: end.status });
      },
    };
  };
}
