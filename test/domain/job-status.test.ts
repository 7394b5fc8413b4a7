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
  type JobTrigger,
} from '../../src/domain/job-status.ts';

const isTrigger = (name: string): name is JobTrigger => name in JOB_TRANSITIONS;
const triggers = Object.keys(JOB_TRANSITIONS).filter(isTrigger);

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

  it('ends an attempt in each move that leaves RUNNING, and in no other', () => {
    for (const { from, ends } of Object.values(JOB_TRANSITIONS))
      expect(ends !== null).toBe(from === 'running');
  });

  it('draws every move into the chart', () => {
    for (const [trigger, { from, to }] of Object.entries(JOB_TRANSITIONS))
      expect(statusChart()).toContain(`${from} --> ${to}: ${trigger}`);
  });
});
