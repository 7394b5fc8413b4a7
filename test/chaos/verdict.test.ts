import { describe, expect, it } from 'vitest';
import { judge, type Evidence } from './verdict.ts';

const at = 1_000_000;

/** One job with two rows, watched from its first event to its last: all is well. */
function evidence(changes: Partial<Evidence> = {}): Evidence {
  return {
    accepted: [{ jobId: 'a', rows: 2 }],
    found: [
      { jobId: 'a', idempotencyKey: 'k-1', status: 'completed', lastSeq: 3, completedAtMs: at + 2_500 },
    ],
    effects: [{ jobId: 'a', rows: 2, distinctRows: 2 }],
    streams: [{ jobId: 'a', seqs: [1, 2, 3], error: null }],
    bounds: [{ name: 'takeover', value: 3, limit: 20, unit: 's' }],
    endedAtMs: at,
    ...changes,
  };
}

describe('a verdict', () => {
  it('finds nothing where all held, and says how long it took', () => {
    expect(judge(evidence())).toMatchObject({
      jobs: 1,
      lost: 0,
      doubled: 0,
      streams: 1,
      gaps: 0,
      backSeconds: 2.5,
      settledSeconds: 2.5,
      problems: [],
    });
  });

  it('calls an accepted job lost that is missing, unsettled, failed, or has not all its rows', () => {
    const [job] = evidence().found;
    if (!job) throw new Error('no job');
    expect(judge(evidence({ found: [] }))).toMatchObject({ lost: 1 });
    for (const status of ['pending', 'running', 'failed', 'cancelled'])
      expect(judge(evidence({ found: [{ ...job, status }] }))).toMatchObject({ lost: 1 });
    expect(judge(evidence({ effects: [] })).problems).toEqual(['lost: a is completed with 0 of 2 rows']);
    expect(judge(evidence({ effects: [{ jobId: 'a', rows: 2, distinctRows: 1 }] }))).toMatchObject({
      lost: 1,
    });
  });

  it('calls rows doubled that were written twice or by a job that nobody started', () => {
    expect(judge(evidence({ effects: [{ jobId: 'a', rows: 3, distinctRows: 2 }] }))).toMatchObject({
      lost: 0,
      doubled: 1,
    });
    const stray = { jobId: 'b', rows: 1, distinctRows: 1 };
    expect(judge(evidence({ effects: [...evidence().effects, stray] }))).toMatchObject({ doubled: 1 });
  });

  it('calls a second job for one key doubled', () => {
    const found = evidence().found.flatMap((job) => [job, { ...job, jobId: 'b' }]);
    expect(judge(evidence({ found }))).toMatchObject({ doubled: 1 });
  });

  it.each([
    ['a hole', [1, 3]],
    ['a double', [1, 2, 2, 3]],
    ['a wrong order', [2, 1, 3]],
    ['no end', [1, 2]],
    ['nothing', []],
  ])('finds %s in a stream', (_, seqs) => {
    expect(judge(evidence({ streams: [{ jobId: 'a', seqs, error: null }] }))).toMatchObject({ gaps: 1 });
  });

  it('counts a stream that broke', () => {
    const streams = [{ jobId: 'a', seqs: [1, 2, 3], error: 'the wire was cut' }];
    expect(judge(evidence({ streams }))).toMatchObject({ gaps: 1 });
  });

  it('names a bound that was exceeded, and one that could not be measured', () => {
    const bound = { name: 'cancel', limit: 1, unit: 's' } as const;
    expect(judge(evidence({ bounds: [{ ...bound, value: 1.2 }] })).problems).toEqual([
      'cancel: 1.2 s, at most 1',
    ]);
    expect(judge(evidence({ bounds: [{ ...bound, value: Number.NaN }] })).problems).toHaveLength(1);
  });

  it('knows no recovery where nothing was settled after the fault', () => {
    expect(judge(evidence({ endedAtMs: at + 10_000 }))).toMatchObject({
      backSeconds: null,
      settledSeconds: null,
    });
  });
});
