import { chmod, mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { performance } from 'node:perf_hooks';
import { readConfig } from '../src/config.ts';
import { openBus } from '../src/events/index.ts';
import { sleep } from '../src/lib/abort.ts';
import { createLog } from '../src/lib/log.ts';
import { brokerOf } from '../src/queue/broker.ts';
import { createJobDeps } from '../src/queue/deps.ts';
import { openQueue } from '../src/queue/index.ts';
import { startJob } from '../src/queue/start.ts';
import { openDatabase } from '../src/repositories/db.ts';
import { startEmbeddedPostgres } from '../src/repositories/embedded.ts';
import { migrate } from '../src/repositories/migrate.ts';
import { settled } from '../test/support/jobs.ts';
import { testCatalogue, testHandlers } from '../test/support/kinds.ts';
import { createOrganization } from '../test/support/organization.ts';
import { startRedis } from '../test/support/redis-server.ts';
import { waitFor } from '../test/support/wait.ts';
import { createWorkerApp } from '../worker/app.ts';

const log = createLog({ level: 'silent', process: 'bench' });
/** As long as ENGINE's promise for a delivery that nobody fetches, and the worker's way back to Redis */
const GOAL_BACK_MS = 20_000;
const APPLICATION_NAME = 'millrace-bench';

/**
 * How long does a worker need to work again after Redis was away and came back empty? The baseline is a job in the same
 * worker before. @param args seconds that Redis is away (default 30; 180 parks clients that 30 do not)
 */
export async function run(args: readonly string[]): Promise<void> {
  const seconds = Number(args[0] ?? 30);
  const folder = await mkdtemp(join(tmpdir(), 'millrace-bench-'));
  await chmod(folder, 0o755);
  const postgres = await startEmbeddedPostgres({ dataDir: join(folder, 'data'), log });
  try {
    await migrate({ url: postgres.url, bullmq: false, log });
    await measure(postgres.url, folder, seconds);
  } finally {
    await postgres.stop();
    await rm(folder, { recursive: true, force: true });
  }
}

async function measure(databaseUrl: string, dataDir: string, seconds: number): Promise<void> {
  let redis = await startRedis();
  const config = readConfig({ DATABASE_URL: databaseUrl, REDIS_URL: redis.url, MILLRACE_DATA_DIR: dataDir });
  const db = openDatabase({
    url: databaseUrl,
    applicationName: APPLICATION_NAME,
    connectionsMax: 4,
    statementTimeoutMs: 15_000,
    log,
  });
  const worker = await createWorkerApp({
    config,
    databaseUrl,
    directDatabaseUrl: databaseUrl,
    catalogue: testCatalogue,
    handlers: testHandlers({ plain: () => Promise.resolve('done') }),
    log,
  });
  const bus = await openBus({
    broker: config.broker,
    directDatabaseUrl: databaseUrl,
    applicationName: APPLICATION_NAME,
    log,
  });
  const queue = openQueue(brokerOf(config.broker, databaseUrl, APPLICATION_NAME), log);
  const jobs = createJobDeps({ db, bus, queue, catalogue: testCatalogue, log });
  const { id: organizationId } = await createOrganization(db);
  const start = async (): Promise<string> =>
    (
      await startJob(jobs, {
        organizationId,
        kind: 'scripted',
        input: { script: 'plain' },
        triggeredBy: 'manual:bench',
      })
    ).jobId;
  const reasons = (): Promise<string[]> => worker.notReady(AbortSignal.timeout(4_000));

  await settled(db, await start());
  console.log(`a job before the outage: ${await timed(async () => settled(db, await start()))} ms`);
  const { port } = redis;
  await redis.stop();
  const waiting = await start();
  const away = sleep(seconds * 1_000);
  const told = timed(() => waitFor(async () => (await reasons()).length > 0, { timeoutMs: 30_000 }));
  console.log(`/readyz was false after ${await told} ms`);
  await away;
  console.log(`/readyz at the end of ${seconds} s: ${(await reasons()).join('; ')}`);
  redis = await startRedis(port);
  const backMs = await timed(() => settled(db, waiting, 120_000));
  console.log(`the job that waited was done ${backMs} ms after Redis was back (goal: under ${GOAL_BACK_MS})`);
  console.log(`a job afterwards: ${await timed(async () => settled(db, await start(), 60_000))} ms`);
  const readyMs = await timed(() =>
    waitFor(async () => (await reasons()).length === 0, { timeoutMs: 60_000 }),
  );
  console.log(`/readyz was true ${readyMs} ms later`);
  await worker.close();
  await queue.close();
  await bus.close();
  await db.close();
  await redis.stop();
}

async function timed(run: () => Promise<unknown>): Promise<number> {
  const since = performance.now();
  await run();
  return Math.round(performance.now() - since);
}
