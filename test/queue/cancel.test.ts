import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { cancelJob, endOrphanedCancels } from '../../src/queue/cancel.ts';
import { startJob } from '../../src/queue/start.ts';
import { startEngine, type Engine } from '../support/engine.ts';
import { eventsOf, readJob } from '../support/jobs.ts';
import { testCatalogue, testHandlers } from '../support/kinds.ts';

describe('cancelling', () => {
  let engine: Engine;
  beforeAll(async () => {
    engine = await startEngine({ broker: 'postgres', catalogue: testCatalogue, handlers: testHandlers() });
  });
  afterAll(() => engine.close());

  const start = async (parentId?: string): Promise<string> => {
    const { jobs, organization } = engine;
    const request = {
      organizationId: organization.id,
      kind: 'scripted',
      input: { script: 'x' },
      triggeredBy: 'manual:test',
    };
    return (await startJob(jobs, { ...request, ...(parentId ? { parentId } : {}) })).jobId;
  };
  const cancel = (jobId: string, reason: string | null = null) =>
    cancelJob(engine.jobs, {
      organizationId: engine.organization.id,
      jobId,
      by: 'manual:ann@example.com',
      reason,
    });
  const runOn = (id: string, beatAge: string) =>
    engine.database.db.query(
      `WITH worker AS (INSERT INTO workers (id, name, kinds, queues, beat_at)
         VALUES (gen_random_uuid(), 'w', '{}', '{}', now() - $2::interval) RETURNING id)
       UPDATE jobs SET status = 'running', worker_id = worker.id, attempt = 1 FROM worker WHERE jobs.id = $1`,
      [id, beatAge],
    );

  it('reaches the unfinished children, and tells who and why', async () => {
    const parent = await start();
    const child = await start(parent);
    const grandchild = await start(child);
    expect(await cancel(parent, 'wrong file')).toEqual({ jobId: parent, error: null });
    const jobs = await Promise.all([parent, child, grandchild].map((id) => readJob(engine.database.db, id)));
    expect(jobs.map(({ status }) => status)).toEqual(['cancelled', 'cancelled', 'cancelled']);
    expect(jobs[0]).toMatchObject({
      cancel_reason: 'wrong file',
      cancel_requested_by: 'manual:ann@example.com',
    });
  });

  it('asks a live worker, once however often it is asked', async () => {
    const id = await start();
    await runOn(id, '0 s');
    await cancel(id, 'first');
    await cancel(id, 'second');
    expect(await readJob(engine.database.db, id)).toMatchObject({
      status: 'running',
      cancel_reason: 'first',
    });
    expect(await eventsOf(engine.database.db, id)).toEqual([
      'pending',
      'log: Cancel requested by manual:ann@example.com: first',
    ]);
  });

  it('is forced where the worker is dead, and raises the fence', async () => {
    const id = await start();
    await runOn(id, '1 minute');
    const { delivery } = await readJob(engine.database.db, id);
    await cancel(id);
    expect(await readJob(engine.database.db, id)).toMatchObject({
      status: 'cancelled',
      delivery: delivery + 1,
    });
  });

  it('is kept as a promise though the last worker died before it heard, and nobody asks again', async () => {
    const { db } = engine.database;
    const [heard, orphaned] = await Promise.all([start(), start()]);
    await Promise.all([runOn(heard, '0 s'), runOn(orphaned, '0 s')]);
    await Promise.all([cancel(heard, 'wrong file'), cancel(orphaned, 'wrong file')]);
    await endOrphanedCancels(engine.jobs);
    expect((await readJob(db, orphaned)).status).toBe('running');
    await db.query(
      `UPDATE workers SET beat_at = now() - interval '1 minute'
       WHERE id = (SELECT worker_id FROM jobs WHERE id = $1)`,
      [orphaned],
    );
    await endOrphanedCancels(engine.jobs);
    expect(await readJob(db, heard)).toMatchObject({ status: 'running' });
    expect(await readJob(db, orphaned)).toMatchObject({
      status: 'cancelled',
      cancel_requested_by: 'manual:ann@example.com',
    });
    expect(await eventsOf(db, orphaned)).toEqual([
      'pending',
      'log: Cancel requested by manual:ann@example.com: wrong file',
      'cancelled',
    ]);
  });

  it('of a settled job changes nothing and says so', async () => {
    const id = await start();
    await cancel(id);
    const before = await readJob(engine.database.db, id);
    expect(await cancel(id)).toMatchObject({ jobId: id, error: { code: 'CONFLICT' } });
    expect(await readJob(engine.database.db, id)).toEqual(before);
  });
});
