import { randomUUID } from 'node:crypto';
import { chmod, mkdtemp, rm, statfs } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import pg from 'pg';
import type { TestProject } from 'vitest/node';
import { createLog } from '../../src/lib/log.ts';
import { startEmbeddedPostgres } from '../../src/repositories/embedded.ts';
import { migrate } from '../../src/repositories/migrate.ts';
import { withDatabase } from './database.ts';
import { readTestEnvironment } from './environment.ts';
import { startRedis } from './redis-server.ts';

const log = createLog({ level: 'warn', process: 'test' });

type Teardown = () => Promise<void>;

/** Starts what all test files share, once; what it started, it stops. */
export default async function setup(project: TestProject): Promise<Teardown> {
  const environment = readTestEnvironment();
  const teardowns: Teardown[] = [];
  const teardown: Teardown = async () => {
    for (const undo of teardowns.splice(0).reverse()) await undo();
  };
  try {
    const [server, redis] = await Promise.all([
      startServer(environment.databaseUrl, teardowns),
      startSharedRedis(environment.redisUrl, teardowns),
    ]);
    project.provide('serverUrl', server);
    project.provide('templateDatabase', await makeTemplate(server, teardowns));
    project.provide('redisUrl', redis);
  } catch (error) {
    await teardown();
    throw error;
  }
  return teardown;
}

async function startServer(given: string | null, teardowns: Teardown[]): Promise<string> {
  if (given) return given;
  const dataDir = await mkdtemp(join(await fastestFolder(), 'millrace-test-'));
  // As root the server runs as another account, which has to reach its data.
  await chmod(dataDir, 0o755);
  const postgres = await startEmbeddedPostgres({ dataDir, durable: false, log });
  teardowns.push(async () => {
    await postgres.stop();
    await rm(dataDir, { recursive: true, force: true });
  });
  return postgres.url;
}

const MEMORY_NEEDED_BYTES = 3 * 1024 ** 3;

/** Making a database is making a thousand files: 13 ms in memory, 350 ms on a disk that is slow at it. */
async function fastestFolder(): Promise<string> {
  const memory = await statfs('/dev/shm').catch(() => null);
  return memory && memory.bavail * memory.bsize >= MEMORY_NEEDED_BYTES ? '/dev/shm' : tmpdir();
}

async function startSharedRedis(given: string | null, teardowns: Teardown[]): Promise<string> {
  if (given) return given;
  const redis = await startRedis();
  teardowns.push(() => redis.stop());
  return redis.url;
}

async function makeTemplate(serverUrl: string, teardowns: Teardown[]): Promise<string> {
  const name = `template_${randomUUID().replaceAll('-', '')}`;
  await onServer(serverUrl, `CREATE DATABASE ${name}`);
  teardowns.push(() => onServer(serverUrl, `DROP DATABASE IF EXISTS ${name} WITH (FORCE)`));
  await migrate({ url: withDatabase(serverUrl, name), bullmq: true, log });
  return name;
}

async function onServer(serverUrl: string, sql: string): Promise<void> {
  const client = new pg.Client({
    connectionString: serverUrl,
    connectionTimeoutMillis: 10_000,
    query_timeout: 30_000,
  });
  await client.connect();
  try {
    await client.query(sql);
  } finally {
    await client.end();
  }
}
