import { afterEach, describe, expect, it } from 'vitest';
import { startJob } from '../../../src/queue/start.ts';
import { BROKERS, startEngine, type Engine } from '../../support/engine.ts';
import { Gate } from '../../support/gate.ts';
import { jobIn, readJob } from '../../support/jobs.ts';
import { testCatalogue, testHandlers, type Script } from '../../support/kinds.ts';
import { waitFor } from '../../support/wait.ts';

describe.each(BROKERS)('a queue on %s', (broker) => {
  let engine: Engine | undefined;
  const release = new Gate();
  afterEach(async () => {
    release.open();
    await engine?.close();
  });
  const open = async (options: { environment?: Record<string, string>; canaryMs?: number }) => {
    const scripts: Record<string, Script> = {
      wait: () => release.opened.then(() => 'done'),
      plain: () => Promise.resolve('done'),
    };
    engine = await startEngine({
      broker,
      catalogue: testCatalogue,
      handlers: testHandlers(scripts),
      ...options,
    });
    const { jobs, organization, database } = engine;
    const worker = await engine.startWorker();
    return {
      db: database.db,
      jobs,
      start: async (script: string): Promise<string> =>
        (
          await startJob(jobs, {
            organizationId: organization.id,
            kind: 'scripted',
            input: { script },
            triggeredBy: 'manual:test',
          })
        ).jobId,
      slots: async (): Promise<string | undefined> =>
        /^millrace_slots\{queue="default",state="total"\} (\d+)$/m.exec((await worker.metrics()).text)?.[1],
    };
  };
  const running = async (): Promise<number> => {
    const { rows } = await (engine as Engine).database.db.query<{ count: number }>(
      `SELECT count(*)::int AS count FROM jobs WHERE status = 'running' AND queue = 'default'`,
    );
    return rows[0]?.count ?? 0;
  };

  it('runs more jobs as soon as its concurrency is raised, while a long one still runs', async () => {
    const { db, start } = await open({ environment: { WORKER_CONCURRENCY_DEFAULT: '1' } });
    await Promise.all(Array.from({ length: 5 }, () => start('wait')));
    await waitFor(async () => (await running()) === 1);
    await db.query(`UPDATE queues SET concurrency = 4 WHERE name = 'default'`);
    await waitFor(async () => (await running()) === 4);
  });

  it('is never given more slots than the pool has connections for', async () => {
    const { db, slots } = await open({
      environment: { WORKER_CONCURRENCY_DEFAULT: '3', DATABASE_CONNECTIONS: '6' },
    });
    await db.query(`UPDATE queues SET concurrency = 500 WHERE name = 'default'`);
    await waitFor(async () => (await slots()) === '5');
  });

  it('that is paused is not fetched from, and goes on when it is resumed', async () => {
    const { db, jobs, start, slots } = await open({ canaryMs: 200 });
    await db.query(`UPDATE queues SET paused_at = now() WHERE name = 'default'`);
    await waitFor(async () => (await slots()) === '0');
    const ids = await Promise.all([start('plain'), start('plain'), start('plain')]);
    // Past the dispatcher, which delivers nothing to a paused queue.
    await jobs.queue.deliver(
      'default',
      ids.map((jobId) => ({ jobId, delivery: 99, priority: 1 })),
    );
    const canaries = async (): Promise<number> => {
      const { rows } = await db.query<{ count: number }>(
        `SELECT count(*)::int AS count FROM jobs WHERE kind = 'canary' AND status = 'completed'`,
      );
      return rows[0]?.count ?? 0;
    };
    const before = await canaries();
    await waitFor(async () => (await canaries()) >= before + 5);
    // One may have been on its way; it goes back.
    const { waiting, active } = await jobs.queue.counts('default');
    expect(waiting + active).toBeGreaterThanOrEqual(2);
    for (const id of ids) expect(await readJob(db, id)).toMatchObject({ status: 'pending', attempt: 0 });

    await db.query(`UPDATE queues SET paused_at = NULL WHERE name = 'default'`);
    for (const id of ids) await jobIn(db, id, ['completed']);
  });
});
