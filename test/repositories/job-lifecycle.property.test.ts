import fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import {
  isSettled,
  JOB_TRANSITIONS,
  nextStatus,
  type JobStatus,
  type JobTrigger,
} from '../../src/domain/job-status.ts';
import { newUuid } from '../../src/domain/ids.ts';
import { requestCancel } from '../../src/repositories/job-cancel.ts';
import { claimDeliveries } from '../../src/repositories/job-claims.ts';
import { settleAttempts } from '../../src/repositories/job-settlements.ts';
import { rescueJobs } from '../../src/repositories/workers.ts';
import { createTestDatabase, type TestDatabase } from '../support/database.ts';
import { createOrganization } from '../support/organization.ts';

const MAX_ATTEMPTS = 3;
const worker = { id: newUuid(), name: 'w', capabilities: { known: 1 } };

/** What may happen to a job from outside; each is tried in whatever state the job is. */
const happenings = [
  'issue',
  'claim',
  'claim with an old delivery',
  'settle: completed',
  'settle: completed_with_warnings',
  'settle: failed',
  'settle: cancelled',
  'settle: retry',
  'settle: snoozed',
  'settle: waits_for_children',
  'settle: released',
  'zombie settles',
  'worker dies',
  'cancel',
] as const;
type Happening = (typeof happenings)[number];

interface Row {
  readonly status: JobStatus;
  readonly attempt: number;
  readonly delivery: number;
  readonly cancelled: boolean;
  readonly waiting_for: string | null;
}

describe('the life of a job', () => {
  let database: TestDatabase;
  let organizationId: string;
  beforeAll(async () => {
    database = await createTestDatabase();
    organizationId = (await createOrganization(database.db)).id;
    await database.db.query(`INSERT INTO queues (name) VALUES ('default')`);
  });
  afterAll(() => database.close());

  const db = () => database.db;
  const insert = async (): Promise<string> => {
    const id = newUuid();
    await db().query(
      `INSERT INTO jobs (id, organization_id, kind, version, queue, input, input_hash, triggered_by, max_attempts)
       VALUES ($1, $2, 'known', 1, 'default', '{}', '\\x00', 'test', $3)`,
      [id, organizationId, MAX_ATTEMPTS],
    );
    return id;
  };
  const read = async (id: string): Promise<Row> => {
    const { rows } = await db().query<Row & Record<string, unknown>>(
      'SELECT status, attempt, delivery, cancel_requested_at IS NOT NULL AS cancelled, waiting_for FROM jobs WHERE id = $1',
      [id],
    );
    if (!rows[0]) throw new Error('the job is gone');
    return rows[0];
  };

  const apply = async (id: string, job: Row, happening: Happening): Promise<void> => {
    switch (happening) {
      case 'issue':
        await db().query(
          `UPDATE jobs SET delivery = delivery + 1 WHERE id = $1 AND status = 'pending' AND waiting_for IS NULL`,
          [id],
        );
        return;
      case 'claim':
        await claimDeliveries(db(), worker, [{ jobId: id, delivery: job.delivery }]);
        return;
      case 'claim with an old delivery':
        await claimDeliveries(db(), worker, [{ jobId: id, delivery: job.delivery - 1 }]);
        return;
      case 'zombie settles':
        await settleAttempts(db(), [{ jobId: id, delivery: job.delivery - 1, trigger: 'completed' }]);
        return;
      case 'worker dies':
        await rescueJobs(db(), { workerId: worker.id, jobIds: [id] }, 10);
        return;
      case 'cancel':
        // No beat row: the worker counts as dead, and the cancel is forced.
        await requestCancel(db(), { organizationId, jobId: id, by: 'test', reason: null });
        return;
      default: {
        const trigger = settleTrigger(happening);
        await settleAttempts(db(), [{ jobId: id, delivery: job.delivery, trigger }]);
      }
    }
  };

  it(
    'follows the transition table, whatever happens in whatever order, and its log tells each move once',
    { timeout: 60_000 },
    async () => {
      const sequences = fc.array(fc.constantFrom(...happenings), { minLength: 1, maxLength: 25 });
      const property = fc.asyncProperty(sequences, async (sequence) => {
        const id = await insert();
        let job = await read(id);
        const moves: JobStatus[] = [];
        for (const happening of sequence) {
          await apply(id, job, happening);
          const after = await read(id);
          const expected = expectedStatus(job, happening);
          // A parent without children is woken at once, by the same call.
          expect({ happening, before: job.status, after: after.status }).toEqual({
            happening,
            before: job.status,
            after: expected ?? job.status,
          });
          if (expected !== null) moves.push(expected);
          if (isSettled(job.status)) expect(after).toEqual(job);
          expect(after.delivery).toBeGreaterThanOrEqual(job.delivery);
          if (after.status !== 'pending') expect(after.waiting_for).toBeNull();
          expect(after.attempt).toBeLessThanOrEqual(MAX_ATTEMPTS + 1);
          job = after;
        }
        const { rows } = await db().query<{ seq: number; status: JobStatus }>(
          `SELECT seq, status FROM job_events WHERE job_id = $1 AND type = 'status' ORDER BY seq`,
          [id],
        );
        expect(rows.map(({ status }) => status)).toEqual(moves);
        expect(rows.map(({ seq }) => seq)).toEqual(moves.map((_, index) => index + 1));
      });
      await fc.assert(property, { numRuns: 60 });
    },
  );
});

/** The table's word: what a happening makes of a job, or null for nothing. */
function expectedStatus(job: Row, happening: Happening): JobStatus | null {
  const trigger = triggerOf(job, happening);
  return trigger === null ? null : nextStatus(job.status, trigger);
}

function triggerOf(job: Row, happening: Happening): JobTrigger | null {
  switch (happening) {
    case 'issue':
    case 'claim with an old delivery':
    case 'zombie settles':
      return null;
    case 'claim':
      return 'claimed';
    case 'worker dies':
      return job.attempt >= MAX_ATTEMPTS ? 'attempts_exhausted' : 'worker_lost';
    case 'cancel':
      return job.status === 'pending' ? 'cancelled_waiting' : 'cancelled';
    default:
      return settleTrigger(happening);
  }
}

function settleTrigger(happening: Extract<Happening, `settle: ${string}`>) {
  const name = happening.slice('settle: '.length);
  const triggers = [
    'completed',
    'completed_with_warnings',
    'failed',
    'cancelled',
    'retry',
    'snoozed',
    'waits_for_children',
    'released',
  ] as const;
  const trigger = triggers.find((known) => known === name);
  if (!trigger || !(trigger in JOB_TRANSITIONS)) throw new Error(`no trigger ${name}`);
  return trigger;
}
