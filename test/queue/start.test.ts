import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { UserFacingError } from '../../src/domain/errors.ts';
import { newUuid, toPublicId } from '../../src/domain/ids.ts';
import { cancelJob } from '../../src/queue/cancel.ts';
import { retryFailedItems } from '../../src/queue/retry.ts';
import { startJob, type StartOptions } from '../../src/queue/start.ts';
import { startEngine, type Engine } from '../support/engine.ts';
import { settled } from '../support/jobs.ts';
import { testCatalogue, testHandlers } from '../support/kinds.ts';
import { createOrganization } from '../support/organization.ts';

describe('starting a job', () => {
  let engine: Engine;
  beforeAll(async () => {
    engine = await startEngine({ broker: 'postgres', catalogue: testCatalogue, handlers: testHandlers() });
  });
  afterAll(() => engine.close());

  const start = (
    kind: string,
    input: unknown,
    options?: StartOptions,
    organizationId = engine.organization.id,
  ) => startJob(engine.jobs, { organizationId, kind, input, triggeredBy: 'manual:test', options });
  const errorsOf = async (started: Promise<unknown>) => {
    const error = await started.then(
      () => null,
      (thrown: unknown) => thrown,
    );
    if (!(error instanceof UserFacingError)) throw new Error('expected a user error', { cause: error });
    return error.errors;
  };
  const jobCount = async () => {
    const { rows } = await engine.database.db.query<{ count: number }>(
      'SELECT count(*)::int AS count FROM jobs',
    );
    return rows[0]?.count;
  };

  it('with one idempotency key and input gives one job, however many start at once', async () => {
    const options = { idempotencyKey: newUuid() };
    const started = await Promise.all(
      Array.from({ length: 50 }, () => start('scripted', { script: 'a' }, options)),
    );
    expect(new Set(started.map(({ jobId }) => jobId)).size).toBe(1);
    expect(started.filter(({ replayReason }) => replayReason === null)).toHaveLength(1);
    expect(started.filter(({ replayReason }) => replayReason === 'IDEMPOTENCY_KEY')).toHaveLength(49);
  });

  it('with a key that was used for other input is refused and writes nothing', async () => {
    const options = { idempotencyKey: newUuid() };
    await start('scripted', { script: 'a' }, options);
    const before = await jobCount();
    expect(await errorsOf(start('scripted', { script: 'b' }, options))).toMatchObject([
      { code: 'IDEMPOTENCY_CONFLICT' },
    ]);
    expect(await jobCount()).toBe(before);
  });

  it('takes keys per organization', async () => {
    const options = { idempotencyKey: newUuid() };
    const other = await createOrganization(engine.database.db);
    const mine = await start('scripted', { script: 'a' }, options);
    const theirs = await start('scripted', { script: 'a' }, options, other.id);
    expect(theirs.jobId).not.toBe(mine.jobId);
    expect(theirs.replayReason).toBeNull();
  });

  it('of a kind that lives once per key gives the living job, and the same input only', async () => {
    const key = newUuid();
    const started = await Promise.all(Array.from({ length: 50 }, () => start('single', { key })));
    expect(new Set(started.map(({ jobId }) => jobId)).size).toBe(1);
    expect(started.filter(({ replayReason }) => replayReason === 'UNIQUE')).toHaveLength(49);
    const living = toPublicId('job', started[0]?.jobId ?? '');
    const [conflict] = await errorsOf(start('single', { key, note: 'other' }));
    expect(conflict).toMatchObject({ code: 'CONFLICT', message: expect.stringContaining(living) });
  });

  it('of a kind that lives once per key is possible again when the job has settled', async () => {
    const key = newUuid();
    const first = await start('single', { key });
    const { organization, jobs } = engine;
    await cancelJob(jobs, {
      organizationId: organization.id,
      jobId: first.jobId,
      by: 'manual:test',
      reason: null,
    });
    expect((await start('single', { key })).replayReason).toBeNull();
  });

  it('can return a finished result that is fresh enough', async () => {
    const worker = await engine.startWorker();
    const first = await start('cached', { of: 'x' });
    await settled(engine.database.db, first.jobId);
    expect(await start('cached', { of: 'x' }, { maxAgeSeconds: 60 })).toMatchObject({
      jobId: first.jobId,
      replayReason: 'CACHED',
    });
    expect((await start('cached', { of: 'y' }, { maxAgeSeconds: 60 })).replayReason).toBeNull();
    expect((await start('cached', { of: 'x' })).replayReason).toBeNull();
    expect(worker.id).toBeTruthy();
  });

  it('refuses maxAgeSeconds where a result cannot be reused', async () => {
    expect(await errorsOf(start('scripted', { script: 'a' }, { maxAgeSeconds: 60 }))).toMatchObject([
      { code: 'INVALID', field: ['options', 'maxAgeSeconds'] },
    ]);
  });

  it('names the field of bad input and writes nothing', async () => {
    const before = await jobCount();
    expect(await errorsOf(start('scripted', { script: 5 }))).toMatchObject([
      { code: 'INVALID', field: ['input', 'script'] },
    ]);
    expect(await jobCount()).toBe(before);
  });

  it('stores no NUL that a caller sends', async () => {
    const { jobId } = await start('scripted', { script: 'a\u0000b' });
    const { rows } = await engine.database.db.query('SELECT input FROM jobs WHERE id = $1', [jobId]);
    expect(rows).toEqual([{ input: { script: 'ab' } }]);
  });

  it('over failed rows is not allowed for a kind that keeps none', async () => {
    const { jobId } = await start('scripted', { script: 'a' });
    const { organization, jobs } = engine;
    const again = retryFailedItems(jobs, {
      organizationId: organization.id,
      jobId,
      triggeredBy: 'manual:test',
    });
    expect(await errorsOf(again)).toMatchObject([{ code: 'NOT_ALLOWED' }]);
  });

  it("knows no job of another organization's", async () => {
    const { jobId } = await start('scripted', { script: 'a' });
    const other = await createOrganization(engine.database.db);
    const cancelled = await cancelJob(engine.jobs, {
      organizationId: other.id,
      jobId,
      by: 'manual:test',
      reason: null,
    });
    expect(cancelled).toMatchObject({ jobId: null, error: { code: 'NOT_FOUND' } });
  });
});
