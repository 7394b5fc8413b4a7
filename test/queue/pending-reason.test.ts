import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { pendingReasons } from '../../src/queue/pending-reason.ts';
import { startJob, type StartOptions } from '../../src/queue/start.ts';
import { startEngine, type Engine } from '../support/engine.ts';
import { testCatalogue, testHandlers } from '../support/kinds.ts';

describe('the reason why a pending job does not run', () => {
  let engine: Engine;
  beforeAll(async () => {
    engine = await startEngine({ broker: 'postgres', catalogue: testCatalogue, handlers: testHandlers() });
    await engine.database.db.query(`INSERT INTO queues (name) VALUES ('default') ON CONFLICT DO NOTHING`);
  });
  afterAll(() => engine.close());

  const start = async (options: StartOptions = {}): Promise<string> => {
    const { jobs, organization } = engine;
    const request = {
      organizationId: organization.id,
      kind: 'scripted',
      input: { script: 'x' },
      triggeredBy: 'manual:test',
      options,
    };
    return (await startJob(jobs, request)).jobId;
  };
  const reasonOf = async (id: string) => (await pendingReasons(engine.database.db, [id])).get(id);
  const set = (sql: string, ...values: unknown[]) => engine.database.db.query(sql, values);
  const beat = () =>
    set(
      `INSERT INTO workers (id, name, kinds, queues) VALUES ('018f0000-0000-7000-8000-000000000000', 'w', '{"scripted": 1}', '{default}')
       ON CONFLICT (id) DO UPDATE SET beat_at = now()`,
    );

  it('is the worker that is missing, while none that knows the kind lives', async () => {
    expect(await reasonOf(await start())).toMatchObject({ code: 'NO_CAPABLE_WORKER' });
  });

  it('is the time it was started for', async () => {
    const runAt = new Date(Date.now() + 3_600_000);
    expect(await reasonOf(await start({ runAt }))).toMatchObject({ code: 'SCHEDULED', until: runAt });
  });

  it('is the retry it waits for', async () => {
    const id = await start();
    await set(`UPDATE jobs SET attempt = 1, due_at = now() + interval '1 minute' WHERE id = $1`, id);
    expect(await reasonOf(id)).toMatchObject({ code: 'RETRYING' });
  });

  it('is a paused queue, before all others', async () => {
    const id = await start();
    await set(`UPDATE queues SET paused_at = now() WHERE name = 'default'`);
    expect(await reasonOf(id)).toMatchObject({ code: 'QUEUE_PAUSED' });
    await set(`UPDATE queues SET paused_at = NULL`);
  });

  it("is the organization's window while others of it are ahead, and else a free worker", async () => {
    const id = await start();
    await beat();
    expect(await reasonOf(id)).toMatchObject({ code: 'ORGANIZATION_LIMIT' });
    await set('UPDATE jobs SET delivered_at = now() WHERE id = $1', id);
    expect(await reasonOf(id)).toMatchObject({ code: 'WAITING_FOR_WORKER' });
  });

  it('is none for a job that is not pending', async () => {
    const id = await start();
    await set(`UPDATE jobs SET status = 'running' WHERE id = $1`, id);
    expect(await reasonOf(id)).toBeUndefined();
  });
});
