import { z } from 'zod';
import { describe, expect, it } from 'vitest';
import { JobFailure } from '../../src/domain/errors.ts';
import { defineJob } from '../../src/jobs/define.ts';
import { AttemptLostError } from '../../src/repositories/job-fence.ts';
import { WaitsForChildren } from '../../worker/context.ts';
import { decideOutcome, type AttemptFacts, type RunEnd } from '../../worker/outcome.ts';

const contract = defineJob({
  kind: 'sample',
  version: 1,
  queue: 'default',
  title: 'Sample',
  input: z.object({}),
  output: z.object({}),
  retry: { maxAttempts: 3, backoff: { baseMs: 1_000, maxMs: 10_000 } },
  timeoutMs: 60_000,
  startable: 'api',
});
const facts: AttemptFacts = {
  contract,
  attempt: 1,
  maxAttempts: 3,
  delivery: 1,
  stopped: null,
  random: () => 0.5,
};
const returned = (succeeded: number, warned: number, failed: number): RunEnd => ({
  type: 'returned',
  output: { ok: true },
  counts: { total: null, processed: succeeded + warned + failed, succeeded, warned, failed },
});
const threw = (error: unknown): RunEnd => ({ type: 'threw', error });

describe('the outcome of an attempt', () => {
  it('is completed when nothing was warned of or rejected', () => {
    expect(decideOutcome(returned(3, 0, 0), facts)).toMatchObject({
      trigger: 'completed',
      result: { ok: true },
    });
  });

  it('is completed with warnings when a row was warned of or rejected', () => {
    expect(decideOutcome(returned(3, 1, 0), facts)?.trigger).toBe('completed_with_warnings');
    expect(decideOutcome(returned(3, 0, 1), facts)?.trigger).toBe('completed_with_warnings');
  });

  it('is failed when no row succeeded and one was rejected, and keeps the result', () => {
    const settlement = decideOutcome(returned(0, 0, 2), facts);
    expect(settlement).toMatchObject({
      trigger: 'failed',
      errorCode: 'ALL_ROWS_REJECTED',
      result: { ok: true },
    });
  });

  it('waits for another attempt after a retryable failure, with the backoff of the kind', () => {
    const settlement = decideOutcome(threw(JobFailure.retryable('PROVIDER_UNAVAILABLE', 'away')), {
      ...facts,
      attempt: 2,
    });
    expect(settlement).toMatchObject({
      trigger: 'retry',
      delayMs: 2_000,
      errorMessage: 'away',
    });
  });

  it('waits as long as the failure says', () => {
    const failure = JobFailure.retryable('PROVIDER_UNAVAILABLE', 'busy', undefined, 77_000);
    expect(decideOutcome(threw(failure), facts)).toMatchObject({ trigger: 'retry', delayMs: 77_000 });
  });

  it('is a pause that uses no attempt when a provider asks for one, in the last attempt too', () => {
    const failure = JobFailure.rateLimited('The shop asks for a pause.', 30_000);
    expect(decideOutcome(threw(failure), { ...facts, attempt: 3 })).toMatchObject({
      trigger: 'snoozed',
      delayMs: 30_000,
    });
    expect(decideOutcome(threw(failure), { ...facts, delivery: 10_000 })?.trigger).toBe('failed');
  });

  it('is the wait for children, unless the attempt was told to stop meanwhile', () => {
    const end = threw(new WaitsForChildren());
    expect(decideOutcome(end, facts)).toEqual({ trigger: 'waits_for_children' });
    expect(decideOutcome(end, { ...facts, stopped: 'cancelled' })).toEqual({ trigger: 'cancelled' });
  });

  it('is failed after the last attempt and after a permanent failure', () => {
    const last = { ...facts, attempt: 3 };
    expect(decideOutcome(threw(new Error('boom')), last)).toMatchObject({
      trigger: 'failed',
      errorCode: 'INTERNAL',
    });
    const permanent = threw(JobFailure.permanent('INVALID_FILE', 'no CSV'));
    expect(decideOutcome(permanent, facts)).toMatchObject({ trigger: 'failed', errorCode: 'INVALID_FILE' });
  });

  it("never tells people an unexpected error's text", () => {
    const settlement = decideOutcome(threw(new Error('password=hunter2')), facts);
    expect(JSON.stringify(settlement)).not.toContain('hunter2');
  });

  it('is nothing to write when the attempt is no longer the job’s', () => {
    expect(decideOutcome(threw(new AttemptLostError('j', 1)), facts)).toBeNull();
    expect(decideOutcome(threw(new Error('stopped')), { ...facts, stopped: 'lost' })).toBeNull();
  });

  it('is cancelled, released or timed out by the reason of the stop, not by what was thrown', () => {
    const end = threw(new Error('aborted'));
    expect(decideOutcome(end, { ...facts, stopped: 'cancelled' })).toEqual({ trigger: 'cancelled' });
    expect(decideOutcome(end, { ...facts, stopped: 'shutdown' })).toEqual({ trigger: 'released' });
    expect(decideOutcome(end, { ...facts, stopped: 'timeout' })).toMatchObject({
      trigger: 'retry',
      errorCode: 'TIMEOUT',
    });
  });

  it('is finished when the handler finished although it was told to stop', () => {
    expect(decideOutcome(returned(1, 0, 0), { ...facts, stopped: 'cancelled' })?.trigger).toBe('completed');
  });
});
