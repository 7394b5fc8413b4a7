import { chmod, mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { readConfig, type Config } from '../src/config.ts';
import { openBus } from '../src/events/index.ts';
import type { JobCatalogue } from '../src/jobs/define.ts';
import type { Log } from '../src/lib/log.ts';
import { brokerOf } from '../src/queue/broker.ts';
import { createJobDeps, type JobDeps } from '../src/queue/deps.ts';
import { openQueue } from '../src/queue/index.ts';
import { openDatabase } from '../src/repositories/db.ts';
import { startEmbeddedPostgres } from '../src/repositories/embedded.ts';
import { migrate } from '../src/repositories/migrate.ts';
import { startRedis } from '../test/support/redis-server.ts';

/** Servers of a benchmark's own. */
export interface BenchServers {
  readonly folder: string;
  /** Durable, as `npm run dev` has it, and migrated */
  readonly databaseUrl: string;
  readonly redisUrl: string;
}

/** Starts a PostgreSQL and a Redis for `fn`, and stops and forgets them afterwards. */
export async function withServers<T>(log: Log, fn: (servers: BenchServers) => Promise<T>): Promise<T> {
  const folder = await mkdtemp(join(tmpdir(), 'millrace-bench-'));
  await chmod(folder, 0o755);
  const postgres = await startEmbeddedPostgres({ dataDir: join(folder, 'postgres'), durable: true, log });
  const redis = await startRedis();
  try {
    await migrate({ url: postgres.url, bullmq: true, log });
    return await fn({ folder, databaseUrl: postgres.url, redisUrl: redis.url });
  } finally {
    await redis.stop();
    await postgres.stop();
    await rm(folder, { recursive: true, force: true });
  }
}

/** What starts jobs, without an API. */
export interface BenchJobs {
  readonly config: Config;
  readonly jobs: JobDeps;
  close(): Promise<void>;
}

export async function openBenchJobs(
  environment: Readonly<Record<string, string>>,
  catalogue: JobCatalogue,
  log: Log,
): Promise<BenchJobs> {
  const config = readConfig({ HEALTH_PORT: '0', ...environment });
  if (config.database.type !== 'url') throw new Error('a benchmark needs DATABASE_URL');
  const { url } = config.database;
  const applicationName = 'bench';
  const db = openDatabase({
    url,
    applicationName,
    connectionsMax: config.databaseConnections,
    statementTimeoutMs: 60_000,
    log,
  });
  const bus = await openBus({ broker: config.broker, directDatabaseUrl: url, applicationName, log });
  const queue = openQueue(brokerOf(config.broker, url, applicationName), log);
  return {
    config,
    jobs: createJobDeps({ db, bus, queue, catalogue, log }),
    async close() {
      await queue.close();
      await bus.close();
      await db.close();
    },
  };
}
