import { mkdtemp, chmod, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { currentEnvironment, readConfig } from '../../src/config.ts';
import { SupervisedChild } from '../../src/dev/child.ts';
import { API_PROCESS } from '../../src/dev/stack.ts';
import { openBus } from '../../src/events/index.ts';
import type { BusAdapter } from '../../src/events/adapter.ts';
import { createLog, type Log } from '../../src/lib/log.ts';
import { insertApiKey } from '../../src/repositories/api-keys.ts';
import { openDatabase, type Database } from '../../src/repositories/db.ts';
import { startEmbeddedPostgres } from '../../src/repositories/embedded.ts';
import { migrate } from '../../src/repositories/migrate.ts';
import { createOrganization } from '../../test/support/organization.ts';
import { startRedis } from '../../test/support/redis-server.ts';

/** What the benchmarks of live streams stand on: a database with the durable settings, a Redis, and the real API. */
export interface Stage {
  readonly db: Database;
  readonly bus: BusAdapter;
  readonly redisUrl: string;
  readonly organizationId: string;
  readonly token: string;
  readonly environment: Readonly<Record<string, string>>;
  readonly api: SupervisedChild;
  readonly log: Log;
  close(): Promise<void>;
}

export async function openStage(): Promise<Stage> {
  const log = createLog({ level: 'warn', process: 'bench' });
  const folder = await mkdtemp(join(tmpdir(), 'millrace-bench-'));
  await chmod(folder, 0o755);
  const postgres = await startEmbeddedPostgres({ dataDir: join(folder, 'postgres'), durable: true, log });
  const redis = await startRedis();
  await migrate({ url: postgres.url, bullmq: true, log });
  const environment = {
    DATABASE_URL: postgres.url,
    REDIS_URL: redis.url,
    MILLRACE_DATA_DIR: join(folder, 'data'),
    PORT: '0',
    HEALTH_PORT: '0',
    LOG_LEVEL: 'warn',
    NODE_ENV: 'production',
  };
  const { broker } = readConfig(environment);
  const shared = { applicationName: 'bench', log };
  const db = openDatabase({
    url: postgres.url,
    connectionsMax: 4,
    statementTimeoutMs: 60_000,
    ...shared,
  });
  const bus = await openBus({ broker, directDatabaseUrl: postgres.url, ...shared });
  const { id: organizationId } = await createOrganization(db);
  const key = { organizationId, userId: null, name: 'bench', role: 'viewer' } as const;
  const { token } = await insertApiKey(db, key);
  const api = await SupervisedChild.start({
    ...API_PROCESS,
    env: { ...currentEnvironment(), ...environment },
    log,
  });
  return {
    db,
    bus,
    redisUrl: redis.url,
    organizationId,
    token,
    environment,
    api,
    log,
    async close() {
      await api.stop();
      await bus.close();
      await db.close();
      await redis.stop();
      await postgres.stop();
      await rm(folder, { recursive: true, force: true });
    },
  };
}

/** Processor time that a process has used so far, in ms (proc(5), utime and stime, at 100 ticks a second); Linux only. */
export async function processorMs(pid: number): Promise<number> {
  const stat = await readFile(`/proc/${pid}/stat`, 'utf8');
  const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
  return (Number(fields[11]) + Number(fields[12])) * 10;
}
