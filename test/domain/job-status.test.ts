import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  isSettled,
  JOB_STATUSES,
  JOB_TRANSITIONS,
  nextStatus,
  SETTLED_STATUSES,
  statusChart,
  type JobStatus,
} from '../../src/domain/job-status.ts';

const triggers = [...new Set(JOB_TRANSITIONS.map((move) => move.trigger))];

describe('the transition table', () => {
  it('lets nothing leave a settled status, whatever comes', () => {
    fc.assert(
      fc.property(fc.array(fc.constantFrom(...triggers), { maxLength: 50 }), (sequence) => {
        let status: JobStatus = 'pending';
        let settledAs: JobStatus | null = null;
        for (const trigger of sequence) {
          status = nextStatus(status, trigger) ?? status;
          if (settledAs !== null) expect(status).toBe(settledAs);
          if (isSettled(status)) settledAs = status;
        }
        expect(JOB_STATUSES).toContain(status);
      }),
    );
  });

  it('settles in exactly four statuses', () => {
    expect(SETTLED_STATUSES).toEqual(['completed', 'completed_with_warnings', 'failed', 'cancelled']);
  });

  it('gives one target for each status and trigger', () => {
    const moves = JOB_TRANSITIONS.map(({ from, trigger }) => `${from} ${trigger}`);
    expect(new Set(moves).size).toBe(moves.length);
  });

  it('draws every move into the chart', () => {
    for (const { from, to, trigger } of JOB_TRANSITIONS)
      expect(statusChart()).toContain(`${from} --> ${to}: ${trigger}`);
  });
});
