import { performance } from 'node:perf_hooks';
import { setTimeout as delay } from 'node:timers/promises';
import { createRedisBackend, withBackend } from 'bullmq';
import { Redis } from 'ioredis';
import { z } from 'zod';
import { catalogueOf, defineJob } from '../src/jobs/define.ts';
import { createLog } from '../src/lib/log.ts';
import { startJob } from '../src/queue/start.ts';
import { createOrganization } from '../test/support/organization.ts';
import { createWorkerApp } from '../worker/app.ts';
import { openBenchJobs, withServers, type BenchServers } from './stack.ts';

const log = createLog({ level: 'warn', process: 'bench' });

const GOALS: readonly { readonly concurrency: number; readonly ratioMin: number }[] = [
  { concurrency: 50, ratioMin: 0.3 },
  { concurrency: 200, ratioMin: 0.5 },
];
const EMBEDDED_MIN = 300;

const noop = defineJob({
  kind: 'noop',
  version: 1,
  queue: 'default',
  title: 'Nothing',
  input: z.object({ n: z.int() }),
  output: z.object({}),
  retry: { maxAttempts: 1, backoff: { baseMs: 1_000, maxMs: 1_000 } },
  timeoutMs: 60_000,
  startable: 'api',
});
const catalogue = catalogueOf(noop);

/**
 * What does it cost that every job is a row with a log? Jobs that do nothing, from start to settlement (row, delivery,
 * claim, run, settlement, three events), against BullMQ alone adding and processing as many on the same Redis. On both
 * sides one process starts and runs the jobs, `concurrency` starts and as many runs at once.
 * @param args number of jobs (default 10,000), then the number of rounds (default 3)
 */
export async function run(args: readonly string[]): Promise<void> {
  const jobs = Number(args[0] ?? 10_000);
  const rounds = Number(args[1] ?? 3);
  console.log(`${jobs} jobs that do nothing, ${process.version}`);
  await withServers(log, async (servers) => {
    for (const { concurrency, ratioMin } of GOALS) {
      for (let round = 1; round <= rounds; round += 1) {
        const raw = await rawOnRedis(servers, jobs, concurrency);
        const tracked = await trackedJobs(servers, jobs, concurrency, 'redis');
        const ratio = (tracked / raw).toFixed(2);
        console.log(
          `Redis, concurrency ${concurrency}: raw ${rate(raw)}, tracked ${rate(tracked)}, ratio ${ratio} (goal: ${ratioMin})`,
        );
      }
    }
    const embedded = await trackedJobs(servers, Math.ceil(jobs / 5), 50, 'postgres');
    console.log(
      `Postgres as broker, concurrency 50: tracked ${rate(embedded)} (goal: ${EMBEDDED_MIN} jobs/s)`,
    );
  });
}

const rate = (perSecond: number): string => `${Math.round(perSecond)} jobs/s`;

/** Calls `start` so many times, `concurrency` at once. */
async function inParallel(
  times: number,
  concurrency: number,
  start: (n: number) => Promise<unknown>,
): Promise<void> {
  let next = 0;
  const loop = async (): Promise<void> => {
    while (next < times) await start(next++);
  };
  await Promise.all(Array.from({ length: concurrency }, loop));
}

async function rawOnRedis({ redisUrl }: BenchServers, jobs: number, concurrency: number): Promise<number> {
  const { Queue, Worker } = withBackend(createRedisBackend);
  const connection = new Redis(redisUrl, { maxRetriesPerRequest: null });
  const name = `raw-${performance.now()}`;
  const queue = new Queue(name, { connection });
  let done = 0;
  const worker = new Worker(name, async () => void (done += 1), {
    connection,
    concurrency,
    removeOnComplete: { age: 3_600, count: 1_000 },
  });
  await worker.waitUntilReady();
  const begin = performance.now();
  await inParallel(jobs, concurrency, (n) => queue.add('noop', { n }));
  while (done < jobs) await delay(5);
  const seconds = (performance.now() - begin) / 1_000;
  await worker.close();
  await queue.close();
  connection.disconnect();
  return jobs / seconds;
}

async function trackedJobs(
  { databaseUrl, redisUrl, folder }: BenchServers,
  jobs: number,
  concurrency: number,
  broker: 'redis' | 'postgres',
): Promise<number> {
  const environment = {
    DATABASE_URL: databaseUrl,
    REDIS_URL: broker === 'redis' ? redisUrl : '',
    MILLRACE_DATA_DIR: folder,
    WORKER_CONCURRENCY_DEFAULT: String(concurrency),
  };
  const bench = await openBenchJobs(environment, catalogue, log);
  const { db } = bench.jobs;
  const organization = await createOrganization(db);
  const worker = await createWorkerApp({
    config: bench.config,
    databaseUrl,
    directDatabaseUrl: databaseUrl,
    catalogue,
    handlers: { noop: () => Promise.resolve({}) },
    log,
  });
  const request = { organizationId: organization.id, kind: 'noop', triggeredBy: 'manual:bench' };
  const settled = async (): Promise<number> => {
    const { rows } = await db.query<{ count: number }>(
      `SELECT count(*)::int AS count FROM jobs WHERE organization_id = $1 AND status = 'completed'`,
      [organization.id],
    );
    return rows[0]?.count ?? 0;
  };
  const begin = performance.now();
  await inParallel(jobs, concurrency, (n) => startJob(bench.jobs, { ...request, input: { n } }));
  while ((await settled()) < jobs) await delay(100);
  const seconds = (performance.now() - begin) / 1_000;
  await worker.close();
  await bench.close();
  return jobs / seconds;
}
