import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { startJob } from '../../src/queue/start.ts';
import { BROKERS, startEngine, type Engine } from '../support/engine.ts';
import { eventsOf, jobIn, readJob, settled } from '../support/jobs.ts';
import { testCatalogue, testHandlers } from '../support/kinds.ts';
import { spawnWorker, type WorkerProcess } from '../support/spawn-worker.ts';
import { waitFor } from '../support/wait.ts';

/** README's promise: gone within 10 s after the grace, which is 5 s by default. */
const GONE_MS = 15_000;
const JOBS_MIN = 300;
const JOBS_MAX = 5_000;

describe.each(BROKERS)('a worker that is told to end, with deliveries on %s', (broker) => {
  let engine: Engine;
  const processes: WorkerProcess[] = [];
  beforeEach(async () => {
    engine = await startEngine({
      broker,
      catalogue: testCatalogue,
      handlers: testHandlers(),
      environment: { SHUTDOWN_GRACE_SECONDS: '5', DATABASE_CONNECTIONS: '4' },
    });
    await engine.database.db.query('CREATE TABLE effects (job_id uuid NOT NULL, row int NOT NULL)');
  });
  afterEach(async () => {
    await Promise.all(processes.splice(0).map((process) => process.end()));
    await engine.close();
  });

  const spawn = async (environment = {}, ...args: string[]): Promise<WorkerProcess> => {
    const process = await spawnWorker({ ...engine.environment, ...environment }, undefined, args);
    processes.push(process);
    return process;
  };
  const start = async (script: string): Promise<string> => {
    const { jobs, organization } = engine;
    const input = { script };
    const request = { organizationId: organization.id, kind: 'scripted', input, triggeredBy: 'manual:test' };
    return (await startJob(jobs, request)).jobId;
  };
  const outcomes = async (): Promise<Record<string, number>> => {
    const { rows } = await engine.database.db.query<{ outcome: string; count: number }>(
      `SELECT coalesce(outcome::text, 'open') AS outcome, count(*)::int AS count FROM job_attempts GROUP BY 1`,
    );
    return Object.fromEntries(rows.map(({ outcome, count }) => [outcome, count]));
  };

  it('lets short work finish and ends with 0', { timeout: 120_000 }, async () => {
    const { db } = engine.database;
    const worker = await spawn();
    const id = await start('brief');
    await jobIn(db, id, ['running']);
    expect(await worker.stop()).toMatchObject({ code: 0 });
    expect(await readJob(db, id)).toMatchObject({ status: 'completed', attempt: 1 });
    expect(await outcomes()).toEqual({ completed: 1 });
    const { rows } = await db.query('SELECT 1 FROM workers');
    expect(rows).toEqual([]);
  });

  it(
    'hands long work back with its checkpoint; another worker goes on within 2 s',
    { timeout: 120_000 },
    async () => {
      const { db } = engine.database;
      const workers = [
        await spawn({ SHUTDOWN_GRACE_SECONDS: '1' }),
        await spawn({ SHUTDOWN_GRACE_SECONDS: '1' }),
      ];
      const id = await start('rows');
      await waitFor(async () => (await readJob(db, id)).count_processed >= 5);
      const running = await db.query<{ worker: string }>('SELECT worker FROM job_attempts');
      const holder = workers.find(({ process }) => running.rows[0]?.worker.endsWith(`:${process.pid}`));
      expect(await holder?.stop()).toMatchObject({ code: 0 });
      expect(await settled(db, id)).toMatchObject({ status: 'completed', attempt: 1, count_processed: 60 });
      expect(await outcomes()).toEqual({ released: 1, completed: 1 });
      const { rows } = await db.query<{ gap_ms: number }>(
        `SELECT (extract(epoch FROM max(started_at) - min(ended_at)) * 1000)::float8 AS gap_ms
       FROM job_attempts WHERE job_id = $1`,
        [id],
      );
      expect(rows[0]?.gap_ms).toBeLessThan(2_000);
      const written = await db.query(
        'SELECT count(*)::int AS all, count(DISTINCT row)::int AS once FROM effects',
      );
      expect(written.rows).toEqual([{ all: 60, once: 60 }]);
    },
  );

  it(
    'takes its job from a handler that does not listen, and is gone within 15 s',
    { timeout: 120_000 },
    async () => {
      const { db } = engine.database;
      const worker = await spawn();
      const id = await start('stubborn');
      await jobIn(db, id, ['running']);
      const ready = async (): Promise<unknown> => (await fetch(`${worker.url}/readyz`)).json();
      await waitFor(async () => JSON.stringify(await ready()) === '{"ok":true,"reasons":[]}');
      const stopping = worker.stop();
      await waitFor(async () => JSON.stringify(await ready()).includes('shutting down'));
      const { code, tookMs } = await stopping;
      expect(code).toBe(0);
      expect(tookMs).toBeLessThan(GONE_MS);
      expect(await readJob(db, id)).toMatchObject({ status: 'pending', attempt: 0 });
      await spawn();
      expect(await settled(db, id)).toMatchObject({ status: 'completed', attempt: 1 });
      expect(await eventsOf(db, id)).toEqual(['pending', 'running', 'pending', 'running', 'completed']);
    },
  );

  it('waits no longer when it is told a second time', { timeout: 120_000 }, async () => {
    const { db } = engine.database;
    const worker = await spawn({ SHUTDOWN_GRACE_SECONDS: '60' });
    const id = await start('rows');
    await waitFor(async () => (await readJob(db, id)).count_processed >= 1);
    const stopping = worker.stop();
    await waitFor(async () => (await fetch(`${worker.url}/readyz`)).status === 503);
    // The same signal once more at once is the first one, handed on by npm; so it is sent until it counts.
    const insisting = setInterval(() => worker.kill('SIGTERM'), 400);
    const { code, tookMs } = await stopping;
    clearInterval(insisting);
    expect(code).toBe(0);
    expect(tookMs).toBeLessThan(6_000);
    expect(await readJob(db, id)).toMatchObject({ status: 'pending', attempt: 0 });
    expect(await outcomes()).toEqual({ released: 1 });
  });

  it('loses and doubles no job in a rolling restart of three under load', { timeout: 240_000 }, async () => {
    const { db } = engine.database;
    // Beats as in production: on a busy machine the fast ones of tests are late now and then.
    const real = (): Promise<WorkerProcess> => spawn({}, 'real');
    const olds = [await real(), await real(), await real()];
    const settledCount = async (): Promise<number> => {
      const { rows } = await db.query<{ count: number }>(
        `SELECT count(*)::int AS count FROM jobs WHERE status NOT IN ('pending', 'running')`,
      );
      return rows[0]?.count ?? 0;
    };
    // Jobs keep coming for as long as workers come and go.
    let rolling = true;
    let started = 0;
    const starting = (async () => {
      while ((rolling || started < JOBS_MIN) && started < JOBS_MAX) {
        await Promise.all(Array.from({ length: 10 }, () => start('quick')));
        started += 10;
        await waitFor(async () => started - (await settledCount()) < 20, { timeoutMs: 60_000 });
      }
    })();
    starting.catch(() => undefined);
    await waitFor(async () => (await settledCount()) >= 20, { timeoutMs: 60_000 });
    for (const old of olds) {
      await real();
      expect(await old.stop()).toMatchObject({ code: 0 });
    }
    rolling = false;
    await starting;
    await waitFor(async () => (await settledCount()) === started, { timeoutMs: 60_000 });
    const { rows } = await db.query(
      `SELECT (SELECT count(*)::int FROM jobs WHERE status = 'completed') AS completed,
                count(*)::int AS effects, count(DISTINCT job_id)::int AS jobs FROM effects`,
    );
    expect(rows).toEqual([{ completed: started, effects: started, jobs: started }]);
    const { completed, released = 0, ...others } = await outcomes();
    expect(others).toEqual({});
    expect(completed).toBe(started);
    expect(released).toBeLessThan(started);
  });
});
