import { setTimeout as delay } from 'node:timers/promises';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { startJob } from '../../src/queue/start.ts';
import { BROKERS, startEngine, type Engine } from '../support/engine.ts';
import { readJob, settled } from '../support/jobs.ts';
import { testCatalogue, testHandlers } from '../support/kinds.ts';
import { spawnWorker, type WorkerProcess } from '../support/spawn-worker.ts';
import { waitFor } from '../support/wait.ts';

/** DESIGN's promise: a job is taken over within 20 s of the death of its worker. */
const TAKEOVER_MS = 20_000;

describe.each(BROKERS)('a worker that dies, with deliveries on %s', (broker) => {
  let engine: Engine;
  const processes: WorkerProcess[] = [];
  beforeEach(async () => {
    engine = await startEngine({ broker, catalogue: testCatalogue, handlers: testHandlers() });
    await engine.database.db.query('CREATE TABLE effects (job_id uuid NOT NULL, row int NOT NULL)');
  });
  afterEach(async () => {
    await Promise.all(processes.splice(0).map((process) => process.end()));
    await engine.close();
  });

  const spawn = async (...args: string[]): Promise<WorkerProcess> => {
    const process = await spawnWorker(engine.environment, undefined, args);
    processes.push(process);
    return process;
  };
  /** Keeps one worker: starts another when it has died, which may be before it was heard to be ready. */
  const superviseWorkers = (): { stop(): Promise<void> } => {
    let stopped = false;
    const supervision = (async () => {
      while (!stopped)
        await spawn().then(
          (worker) => worker.exited,
          () => undefined,
        );
    })();
    return {
      async stop() {
        stopped = true;
        await Promise.all(processes.map((process) => process.end()));
        await supervision;
      },
    };
  };
  const start = async (script: string): Promise<string> => {
    const { jobs, organization } = engine;
    const request = {
      organizationId: organization.id,
      kind: 'scripted',
      input: { script },
      triggeredBy: 'manual:test',
    };
    return (await startJob(jobs, request)).jobId;
  };
  const rowsWritten = async (): Promise<number> => {
    const { rows } = await engine.database.db.query<{ count: number }>(
      'SELECT count(*)::int AS count FROM effects',
    );
    return rows[0]?.count ?? 0;
  };
  const expectEveryRowOnce = async (): Promise<void> => {
    const { rows } = await engine.database.db.query(
      'SELECT row, count(*)::int AS times FROM effects GROUP BY row ORDER BY row',
    );
    expect(rows).toEqual(Array.from({ length: 60 }, (_, index) => ({ row: index + 1, times: 1 })));
  };

  it(
    'is taken over within 20 s at the real beat, and every row is written once',
    { timeout: 90_000 },
    async () => {
      const first = await spawn('real');
      await spawn('real');
      const id = await start('rows');
      await waitFor(async () => (await rowsWritten()) >= 10);
      const running = await runningWorkers(engine);
      const victim =
        processes.find(({ process }) => running.some((name) => name.endsWith(`:${process.pid}`))) ?? first;
      const diedAt = Date.now();
      victim.kill('SIGKILL');
      await waitFor(async () => (await readJob(engine.database.db, id)).attempt === 2, { timeoutMs: 30_000 });
      expect(Date.now() - diedAt).toBeLessThan(TAKEOVER_MS);
      expect(await settled(engine.database.db, id)).toMatchObject({
        status: 'completed',
        attempt: 2,
        count_processed: 60,
      });
      await expectEveryRowOnce();
    },
  );

  it('and comes back as a zombie writes nothing more', { timeout: 60_000 }, async () => {
    const first = await spawn();
    const id = await start('rows');
    await waitFor(async () => (await rowsWritten()) >= 5);
    first.kill('SIGSTOP');
    await spawn();
    const job = await settled(engine.database.db, id, 40_000);
    expect(job).toMatchObject({ status: 'completed', attempt: 2, count_processed: 60 });
    first.kill('SIGCONT');
    // The zombie beats again, so its row is there once it has had the chance to write.
    await waitFor(async () => {
      const { rows } = await engine.database.db.query('SELECT 1 FROM workers WHERE name LIKE $1', [
        `%:${first.process.pid}`,
      ]);
      return rows.length === 1;
    });
    await delay(500);
    await expectEveryRowOnce();
    expect(await readJob(engine.database.db, id)).toEqual(job);
  });

  it('in each attempt has a job that fails and no queue that stands still', { timeout: 60_000 }, async () => {
    const id = await start('poison');
    const supervisor = superviseWorkers();
    try {
      const job = await settled(engine.database.db, id, 50_000);
      expect(job).toMatchObject({ status: 'failed', error_code: 'ATTEMPTS_EXHAUSTED', attempt: 3 });
      expect(await settled(engine.database.db, await start('rows'))).toMatchObject({ status: 'completed' });
    } finally {
      await supervisor.stop();
    }
  });
});

async function runningWorkers({ database }: Engine): Promise<string[]> {
  const { rows } = await database.db.query<{ worker: string }>(
    'SELECT worker FROM job_attempts WHERE ended_at IS NULL',
  );
  return rows.map(({ worker }) => worker);
}
