import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { toPublicId } from '../../../src/domain/ids.ts';
import type { StoredFilter } from '../../../src/jobs/bulk-operation.ts';
import { startBulk } from '../../../src/queue/bulk.ts';
import { cancelJob } from '../../../src/queue/cancel.ts';
import { startJob } from '../../../src/queue/start.ts';
import { BROKERS, startEngine, type Engine } from '../../support/engine.ts';
import { seedJobs } from '../../support/job-rows.ts';
import { eventsOf, jobIn, readJob, settled } from '../../support/jobs.ts';
import { testCatalogue, testHandlers, untilAborted } from '../../support/kinds.ts';
import { spawnWorker } from '../../support/spawn-worker.ts';
import { waitFor } from '../../support/wait.ts';

const HOUR = 3_600;

describe.each(BROKERS)('a bulk operation, with deliveries on %s', (broker) => {
  let engine: Engine;
  beforeEach(async () => {
    const handlers = testHandlers({ waits: (ctx) => untilAborted(ctx.signal) });
    engine = await startEngine({ broker, catalogue: testCatalogue, handlers });
  });
  afterEach(() => engine.close());

  const db = () => engine.database.db;
  const bulk = async (
    action: 'cancel' | 'retry',
    filter: StoredFilter,
    expectedCount: number,
    reason: string | null = null,
  ): Promise<string> => {
    const organizationId = engine.organization.id;
    const request = { organizationId, action, filter, expectedCount, reason, triggeredBy: 'manual:ann' };
    return (await startBulk(engine.jobs, request)).jobId;
  };
  const seed = (status: string, count: number, more = {}) =>
    seedJobs(db(), engine.organization.id, { status, count, kind: 'cached', ...more });
  const statuses = async (ids: readonly string[]): Promise<Record<string, number>> => {
    const { rows } = await db().query<{ status: string; count: number }>(
      'SELECT status::text, count(*)::int FROM jobs WHERE id = ANY($1) GROUP BY 1',
      [ids],
    );
    return Object.fromEntries(rows.map(({ status, count }) => [status, count]));
  };
  const freshRuns = async (bulkId: string): Promise<{ all: number; inputs: number }> => {
    const { rows } = await db().query<{ all: number; inputs: number }>(
      'SELECT count(*)::int AS all, count(DISTINCT input)::int AS inputs FROM jobs WHERE triggered_by = $1',
      [`job:${toPublicId('job', bulkId)}`],
    );
    return rows[0] ?? { all: 0, inputs: 0 };
  };

  it('cancels what waits and what runs, leaves what is settled, and tells who and why', async () => {
    await engine.startWorker();
    const running = await Promise.all(
      [1, 2].map(() =>
        startJob(engine.jobs, {
          organizationId: engine.organization.id,
          kind: 'scripted',
          input: { script: 'waits' },
          triggeredBy: 'api:test',
        }),
      ),
    );
    for (const { jobId } of running) await jobIn(db(), jobId, ['running']);
    const pending = await seed('pending', 698, { due_in: HOUR });
    const done = await seed('completed', 300);
    const id = await bulk('cancel', { triggeredBy: 'api:test' }, 1_000, 'wrong shop');
    expect(await settled(db(), id)).toMatchObject({
      status: 'completed',
      result: { matched: 700, done: 700, skipped: 0, failed: 0 },
      count_processed: 700,
    });
    for (const { jobId } of running) await jobIn(db(), jobId, ['cancelled']);
    expect(await statuses(pending)).toEqual({ cancelled: 698 });
    expect(await statuses(done)).toEqual({ completed: 300 });
    expect(await readJob(db(), pending[0] ?? '')).toMatchObject({
      cancel_requested_by: 'manual:ann',
      cancel_reason: 'wrong shop',
    });
    expect(await eventsOf(db(), pending[0] ?? '')).toEqual(['cancelled']);
  });

  it('retries each settled job once, with the same input, and says why it could not retry some', async () => {
    await engine.startWorker();
    const failed = await seed('failed', 200, { input: (n: number) => ({ of: `n${n}` }) });
    const unfit = await seed('failed', 3, { input: () => ({ of: 5 }) });
    const twin = await seed('failed', 1, { input: () => ({ of: 'n1' }) });
    const id = await bulk('retry', { statuses: ['failed'], kinds: ['CACHED'] }, 204);
    const job = await settled(db(), id);
    expect(job.status).toBe('completed_with_warnings');
    expect(job.result).toMatchObject({ matched: 204, failed: 3 });
    const { rows } = await db().query(
      'SELECT key, code, outcome::text FROM job_items WHERE job_id = $1 ORDER BY key',
      [id],
    );
    expect(rows).toEqual(
      unfit.map((uuid) => ({ key: toPublicId('job', uuid), code: 'INVALID', outcome: 'failed' })),
    );
    // Of two equal ones the second is the same work, if the first still lives.
    const runs = await freshRuns(id);
    expect(runs.inputs).toBe(200);
    await waitFor(async () => {
      const { rows: left } = await db().query(
        `SELECT 1 FROM jobs WHERE triggered_by = $1 AND status <> 'completed' LIMIT 1`,
        [`job:${toPublicId('job', id)}`],
      );
      return left.length === 0;
    });
    expect(await statuses([...failed, ...unfit, ...twin])).toEqual({ failed: 204 });
  });

  it('touches no job that was created after it, no other bulk operation and no other organization', async () => {
    const before = await seed('pending', 3, { due_in: HOUR });
    const other = await bulk('cancel', { triggeredBy: 'api:test' }, 3, 'first');
    const id = await bulk('cancel', { queues: ['default'], statuses: ['pending'] }, 3);
    const after = await seed('pending', 3, { due_in: HOUR });
    await engine.startWorker();
    expect((await settled(db(), id)).status).toBe('completed');
    expect((await settled(db(), other)).status).toBe('completed');
    expect(await statuses(before)).toEqual({ cancelled: 3 });
    expect(await statuses(after)).toEqual({ pending: 3 });
  });

  it('stops between two batches when it is cancelled, and what was done stays done', async () => {
    await seed('failed', 2_000, { input: (n: number) => ({ of: `n${n}` }) });
    await engine.startWorker();
    const id = await bulk('retry', { statuses: ['failed'] }, 2_000);
    await waitFor(async () => (await readJob(db(), id)).count_processed >= 200);
    await cancelJob(engine.jobs, {
      organizationId: engine.organization.id,
      jobId: id,
      by: 'manual:bob',
      reason: null,
    });
    const job = await settled(db(), id);
    expect(job.status).toBe('cancelled');
    expect(job.count_processed).toBeLessThan(2_000);
    expect(await freshRuns(id)).toEqual({ all: job.count_processed, inputs: job.count_processed });
  });

  it('goes on after kill -9 and starts no job twice', async () => {
    await seed('failed', 600, { input: (n: number) => ({ of: `n${n}` }) });
    const first = await spawnWorker(engine.environment);
    const id = await bulk('retry', { statuses: ['failed'] }, 600);
    await waitFor(async () => (await readJob(db(), id)).count_processed >= 200);
    await first.end();
    expect((await readJob(db(), id)).count_processed).toBeLessThan(600);
    await engine.startWorker();
    expect(await settled(db(), id, 60_000)).toMatchObject({
      status: 'completed',
      result: { matched: 600, done: 600, skipped: 0, failed: 0 },
    });
    expect(await freshRuns(id)).toEqual({ all: 600, inputs: 600 });
  }, 90_000);
});
