import { afterEach, describe, expect, it } from 'vitest';
import { startJob } from '../../src/queue/start.ts';
import { sleep } from '../../src/lib/abort.ts';
import { startEngine, type Engine } from '../support/engine.ts';
import { jobIn, readJob, settled } from '../support/jobs.ts';
import { testCatalogue, testHandlers, type Script } from '../support/kinds.ts';
import { startProxiedWorker, type ProxiedWorker } from '../support/proxied-worker.ts';
import { redisPrefix, startRedis, type RedisServer } from '../support/redis.ts';
import { waitFor } from '../support/wait.ts';

/** Longer than BullMQ's blocking call and its watch over it, and than `/readyz` waits for the broker. */
const REDIS_AWAY_MS = 17_000;
const POSTGRES_AWAY_MS = 8_000;

describe('an outage', () => {
  let engine: Engine | undefined;
  let proxied: ProxiedWorker | undefined;
  let redis: RedisServer | undefined;
  afterEach(async () => {
    await proxied?.close();
    await engine?.close();
    await redis?.stop();
    engine = proxied = redis = undefined;
  });
  const startOn = async ({ jobs, organization }: Engine, script: string): Promise<string> => {
    const input = { script };
    const request = { organizationId: organization.id, kind: 'scripted', input, triggeredBy: 'manual:test' };
    return (await startJob(jobs, request)).jobId;
  };

  it('of Redis shows in /readyz; when Redis is back, empty, all jobs run', { timeout: 120_000 }, async () => {
    redis = await startRedis();
    const handlers = testHandlers({ plain: () => Promise.resolve('done') });
    engine = await startEngine({
      broker: 'redis',
      catalogue: testCatalogue,
      handlers,
      environment: { REDIS_URL: redis.url, REDIS_PREFIX: redisPrefix() },
    });
    const { db } = engine.database;
    const worker = await engine.startWorker();
    const reasons = (): Promise<string[]> => worker.notReady(AbortSignal.timeout(4_000));
    await settled(db, await startOn(engine, 'plain'));
    const { port } = redis;
    await redis.stop();
    const waiting = await startOn(engine, 'plain');
    await Promise.all([
      sleep(REDIS_AWAY_MS),
      waitFor(async () => (await reasons()).includes('the broker does not answer'), { timeoutMs: 25_000 }),
    ]);
    redis = await startRedis(port);
    expect(await settled(db, waiting, 40_000)).toMatchObject({ status: 'completed', attempt: 1 });
    expect(await settled(db, await startOn(engine, 'plain'))).toMatchObject({ status: 'completed' });
    await waitFor(async () => (await reasons()).length === 0, { timeoutMs: 20_000 });
  });

  it('of Postgres loses no delivery that Redis carries, and no attempt', { timeout: 120_000 }, async () => {
    const scripts: Record<string, Script> = {
      async effect(ctx) {
        await ctx.transaction(async (tx) => {
          await tx.query('INSERT INTO effects (job_id) VALUES ($1)', [ctx.jobId]);
        });
        return 'done';
      },
    };
    const handlers = testHandlers(scripts);
    engine = await startEngine({
      broker: 'redis',
      catalogue: testCatalogue,
      handlers,
      environment: { WORKER_CONCURRENCY_DEFAULT: '2' },
    });
    const { db } = engine.database;
    await db.query('CREATE TABLE effects (job_id uuid NOT NULL)');
    const { proxy, worker, reasons } = (proxied = await startProxiedWorker(engine, handlers, 'database'));
    await settled(db, await startOn(engine, 'effect'));
    proxy.down();
    const running = engine;
    const ids = await Promise.all(Array.from({ length: 40 }, () => startOn(running, 'effect')));
    await waitFor(async () => (await reasons()).includes('PostgreSQL does not answer'));
    await sleep(POSTGRES_AWAY_MS);
    // Two wait in the worker's slots, the others in Redis: none was dropped.
    const { waiting, active } = await engine.jobs.queue.counts('default');
    expect(waiting + active).toBe(40);
    for (const id of ids) expect(await readJob(db, id)).toMatchObject({ status: 'pending', delivery: 1 });
    proxy.up();
    await Promise.all(ids.map((id) => jobIn(db, id, ['completed'], 40_000)));
    const { rows } = await db.query(
      'SELECT count(*)::int AS effects, count(DISTINCT job_id)::int AS jobs FROM effects',
    );
    expect(rows).toEqual([{ effects: 41, jobs: 41 }]);
    const outcomes = await db.query('SELECT DISTINCT outcome::text FROM job_attempts');
    expect(outcomes.rows).toEqual([{ outcome: 'completed' }]);
    expect((await worker.metrics()).text).not.toMatch(/^millrace_redeliveries_total\{.*\} [1-9]/m);
  });
});
