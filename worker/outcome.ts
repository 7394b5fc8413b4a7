import { JobFailure } from '../src/domain/errors.ts';
import type { JobCounts } from '../src/domain/job.ts';
import type { JobContract } from '../src/jobs/define.ts';
import { backoffMs } from '../src/lib/backoff.ts';
import { AttemptLostError } from '../src/repositories/job-fence.ts';
import type { Settlement } from '../src/repositories/job-attempts.ts';
import type { StopReason } from './stop-reason.ts';

/** How a handler's run ended, before anybody judges it. */
export type RunEnd =
  | { readonly type: 'returned'; readonly output: unknown; readonly counts: JobCounts }
  | { readonly type: 'threw'; readonly error: unknown };

export interface AttemptFacts {
  readonly contract: JobContract;
  readonly attempt: number;
  readonly maxAttempts: number;
  /** Why the attempt was told to stop, if it was */
  readonly stopped: StopReason | null;
  readonly random?: () => number;
}

/** A released job is delivered again soon: the process that gave it back is going away. */
const RELEASE_DELAY_MS = 0;

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
      return { status: 'cancelled', attemptOutcome: 'cancelled' };
    case 'shutdown':
      return { status: 'pending', attemptOutcome: 'released', delayMs: RELEASE_DELAY_MS };
    case 'timeout': {
      const limit = `The attempt took longer than its limit of ${Math.round(facts.contract.timeoutMs / 1_000)} seconds.`;
      return failed(JobFailure.retryable('TIMEOUT', limit), facts);
    }
    case null:
      return failed(asFailure(end.error), facts);
  }
}

function finished(output: unknown, counts: JobCounts): Settlement {
  if (counts.failed > 0 && counts.succeeded === 0 && counts.warned === 0) {
    return {
      status: 'failed',
      attemptOutcome: 'failed',
      result: output,
      errorCode: 'ALL_ROWS_REJECTED',
      errorMessage: `None of the ${counts.failed} rows could be used. The list of rejected rows says why.`,
    };
  }
  const warnings = counts.failed > 0 || counts.warned > 0;
  return {
    status: warnings ? 'completed_with_warnings' : 'completed',
    attemptOutcome: 'completed',
    result: output,
  };
}

function failed(failure: JobFailure, facts: AttemptFacts): Settlement {
  const reason = {
    attemptOutcome: 'failed',
    errorCode: failure.code,
    errorMessage: failure.message,
  } as const;
  if (!failure.retryable || facts.attempt >= facts.maxAttempts) return { status: 'failed', ...reason };
  const delayMs =
    failure.retryAfterMs ?? backoffMs(facts.contract.retry.backoff, facts.attempt, facts.random);
  return { status: 'pending', ...reason, delayMs };
}

/** An error that no handler meant: people get a plain text, the log the rest. */
function asFailure(error: unknown): JobFailure {
  if (error instanceof JobFailure) return error;
  return JobFailure.retryable('INTERNAL', 'Something went wrong on our side.', error);
}
