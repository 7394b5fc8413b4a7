import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { readConfig, type Config } from '../../src/config.ts';
import type { Connectors } from '../../src/connectors/index.ts';
import { openBus } from '../../src/events/index.ts';
import type { JobCatalogue } from '../../src/jobs/define.ts';
import type { NoticeLimits } from '../../src/notify/plan.ts';
import { brokerOf } from '../../src/queue/broker.ts';
import { createJobDeps, type JobDeps } from '../../src/queue/deps.ts';
import { openQueue } from '../../src/queue/index.ts';
import { createWorkerApp, type WorkerApp } from '../../worker/app.ts';
import type { BeatTimes } from '../../worker/beat.ts';
import type { Handlers } from '../../worker/handlers.ts';
import { FAST_TIMES } from './beat-times.ts';
import { createTestDatabase, type TestDatabase } from './database.ts';
import { silentLog } from './log.ts';
import { createOrganization } from './organization.ts';
import { redisPrefix, redisUrl } from './redis.ts';

export const BROKERS = ['postgres', 'redis'] as const;
export type BrokerName = (typeof BROKERS)[number];

export interface Engine {
  readonly config: Config;
  readonly database: TestDatabase;
  readonly jobs: JobDeps;
  readonly organization: { readonly id: string };
  /** What a process needs to join this engine as a worker or API */
  readonly environment: Readonly<Record<string, string>>;
  /** Starts one more worker in this process; of another release, if other kinds are given. */
  startWorker<D extends JobCatalogue>(release?: {
    readonly catalogue: D;
    readonly handlers: Handlers<D>;
  }): Promise<WorkerApp>;
  close(): Promise<void>;
}

interface EngineOptions<C extends JobCatalogue> {
  readonly broker: BrokerName;
  readonly catalogue: C;
  readonly handlers: Handlers<C>;
  readonly environment?: Readonly<Record<string, string>>;
  /** Providers beside the real ones */
  readonly connectors?: Connectors;
  /** Default: no canary */
  readonly canaryMs?: number;
  readonly noticeLimits?: NoticeLimits;
  /** Default: ten times as fast as in production */
  readonly times?: BeatTimes;
}

/** A database, a broker and what the API uses of them; workers are started by the test. */
export async function startEngine<C extends JobCatalogue>(options: EngineOptions<C>): Promise<Engine> {
  const { catalogue, handlers } = options;
  const database = await createTestDatabase();
  const dataDir = await mkdtemp(join(tmpdir(), 'millrace-engine-'));
  const environment = {
    NODE_ENV: 'test',
    DATABASE_URL: database.url,
    MILLRACE_DATA_DIR: dataDir,
    HEALTH_PORT: '0',
    LOG_LEVEL: 'silent',
    ...(options.broker === 'redis' ? { REDIS_URL: redisUrl(), REDIS_PREFIX: redisPrefix() } : {}),
    ...options.environment,
  };
  const config = readConfig(environment);
  const applicationName = 'millrace-test';
  const { db } = database;
  const bus = await openBus({
    broker: config.broker,
    directDatabaseUrl: database.url,
    applicationName,
    log: silentLog,
  });
  const queue = openQueue(brokerOf(config.broker, database.url, applicationName), silentLog);
  const workers: WorkerApp[] = [];
  return {
    config,
    environment,
    database,
    jobs: createJobDeps({ db, bus, queue, catalogue, log: silentLog }),
    organization: await createOrganization(db),
    async startWorker(release) {
      const common = {
        config,
        databaseUrl: database.url,
        directDatabaseUrl: database.url,
        log: silentLog,
        times: options.times ?? FAST_TIMES,
        canaryMs: options.canaryMs ?? null,
        ...(options.connectors ? { connectors: options.connectors } : {}),
        ...(options.noticeLimits ? { noticeLimits: options.noticeLimits } : {}),
      };
      const worker = release
        ? await createWorkerApp({ ...common, ...release })
        : await createWorkerApp({ ...common, catalogue, handlers });
      workers.push(worker);
      return worker;
    },
    async close() {
      await Promise.all(workers.map((worker) => worker.close()));
      await queue.close();
      await bus.close();
      await database.close();
      await rm(dataDir, { recursive: true, force: true });
    },
  };
}
