import { chmod, mkdir, mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createLog, type Log } from '../../src/lib/log.ts';
import { startEmbeddedPostgres, type EmbeddedPostgres } from '../../src/repositories/embedded.ts';
import { migrate } from '../../src/repositories/migrate.ts';
import { startRedis, type RedisServer } from '../support/redis-server.ts';
import { restartPort } from '../support/restart-port.ts';
import type { Backend, Scale } from './fault.ts';

/** A server that can be taken away and brought back on the same port. */
export interface Outage {
  readonly url: string;
  stop(): Promise<void>;
  start(): Promise<void>;
}

/** PostgreSQL and, on that backend, Redis: of the run's own. */
export interface Servers {
  readonly postgres: Outage;
  readonly redis: Outage | null;
  /** For what the processes keep in files; removed at the end */
  readonly folder: string;
  close(): Promise<void>;
}

const log = createLog({ level: 'warn', process: 'chaos' });

/** PostgreSQL is as durable as in production in full runs, and fast in short ones. */
export async function startServers(backend: Backend, scale: Scale): Promise<Servers> {
  const folder = await mkdtemp(join(tmpdir(), 'millrace-chaos-'));
  const opened: { stop(): Promise<void> }[] = [];
  const close = async (): Promise<void> => {
    await Promise.all(opened.splice(0).map((server) => server.stop()));
    await rm(folder, { recursive: true, force: true });
  };
  try {
    // As root the server runs as another account, which has to reach its data.
    await chmod(folder, 0o755);
    await mkdir(join(folder, 'data'));
    const postgres = await openPostgres(join(folder, 'database'), scale === 'full', log);
    opened.push(postgres);
    await migrate({ url: postgres.url, bullmq: true, log });
    const redis = backend === 'redis' ? await openRedis() : null;
    if (redis) opened.push(redis);
    return { postgres, redis, folder, close };
  } catch (error) {
    await close();
    throw error;
  }
}

async function openPostgres(dataDir: string, durable: boolean, log: Log): Promise<Outage> {
  const port = await restartPort();
  const first = await startEmbeddedPostgres({ dataDir, durable, port, log });
  let running: EmbeddedPostgres | null = first;
  return {
    url: first.url,
    async stop() {
      await running?.stop();
      running = null;
    },
    async start() {
      running ??= await startEmbeddedPostgres({ dataDir, durable, port, log });
    },
  };
}

/** It keeps nothing: one that comes back is empty. */
async function openRedis(): Promise<Outage> {
  const first = await startRedis();
  let running: RedisServer | null = first;
  return {
    url: first.url,
    async stop() {
      await running?.stop();
      running = null;
    },
    async start() {
      running ??= await startRedis(first.port);
    },
  };
}
