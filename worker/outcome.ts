import { JobFailure } from '../src/domain/errors.ts';
import type { JobCounts } from '../src/domain/job.ts';
import type { JobContract } from '../src/jobs/define.ts';
import { backoffMs } from '../src/lib/backoff.ts';
import { AttemptLostError } from '../src/repositories/job-fence.ts';
import type { Settlement } from '../src/repositories/job-settlements.ts';
import { WaitsForChildren } from './context.ts';
import type { StopReason } from './stop-reason.ts';

/** How a handler's run ended, before anybody judges it. */
export type RunEnd =
  | { readonly type: 'returned'; readonly output: unknown; readonly counts: JobCounts }
  | { readonly type: 'threw'; readonly error: unknown };

export interface AttemptFacts {
  readonly contract: JobContract;
  readonly attempt: number;
  readonly maxAttempts: number;
  /** Raised by each delivery, snoozed ones too */
  readonly delivery: number;
  /** Why the attempt was told to stop, if it was */
  readonly stopped: StopReason | null;
  readonly random?: () => number;
}

/** A job that has snoozed so often will not get anywhere. */
const DELIVERIES_MAX = 10_000;

/**
 * What becomes of the job: the one place that decides it. A handler that finished although it was told to stop has
 * finished. @returns null when the attempt is not the job's any more: then there is nothing to write
 */
export function decideOutcome(end: RunEnd, facts: AttemptFacts): Settlement | null {
  if (end.type === 'returned') return finished(end.output, end.counts);
  if (end.error instanceof AttemptLostError) return null;
  switch (facts.stopped) {
    case 'lost':
      return null;
    case 'cancelled':
      return { trigger: 'cancelled' };
    case 'shutdown':
      // Delivered again at once: the process that gives it back is going away.
      return { trigger: 'released' };
    case 'timeout': {
      const limit = `The attempt took longer than its limit of ${Math.round(facts.contract.timeoutMs / 1_000)} seconds.`;
      return failed(JobFailure.retryable('TIMEOUT', limit), facts);
    }
    case null:
      if (end.error instanceof WaitsForChildren) return { trigger: 'waits_for_children' };
      return failed(asFailure(end.error), facts);
  }
}

function finished(output: unknown, counts: JobCounts): Settlement {
  if (counts.failed > 0 && counts.succeeded === 0 && counts.warned === 0) {
    return {
      trigger: 'failed',
      result: output,
      errorCode: 'ALL_ROWS_REJECTED',
      errorMessage: `None of the ${counts.failed} rows could be used. The list of rejected rows says why.`,
    };
  }
  const warnings = counts.failed > 0 || counts.warned > 0;
  return { trigger: warnings ? 'completed_with_warnings' : 'completed', result: output };
}

function failed({ code, message, next }: JobFailure, facts: AttemptFacts): Settlement {
  const reason = { errorCode: code, errorMessage: message };
  switch (next.type) {
    case 'never':
      return { trigger: 'failed', ...reason };
    case 'snooze':
      if (facts.delivery >= DELIVERIES_MAX) return { trigger: 'failed', ...reason };
      return { trigger: 'snoozed', ...reason, delayMs: next.afterMs };
    case 'retry': {
      if (facts.attempt >= facts.maxAttempts) return { trigger: 'failed', ...reason };
      const { backoff } = facts.contract.retry;
      const delayMs = next.afterMs ?? backoffMs(backoff, facts.attempt, facts.random);
      return { trigger: 'retry', ...reason, delayMs };
    }
  }
}

/** An error that no handler meant: people get a plain text, the log the rest. */
function asFailure(error: unknown): JobFailure {
  if (error instanceof JobFailure) return error;
  return JobFailure.retryable('INTERNAL', 'Something went wrong on our side.', error);
}
