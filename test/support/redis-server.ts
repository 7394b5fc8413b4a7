import { access, constants, mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Redis } from 'ioredis';
import { supervise } from '../../src/repositories/embedded-supervisor.ts';
import { readTestEnvironment } from './environment.ts';
import { restartPort } from './restart-port.ts';
import { waitFor } from './wait.ts';

/** A Redis of one's own: may be flushed, stopped and killed. */
export interface RedisServer {
  readonly url: string;
  readonly port: number;
  stop(): Promise<void>;
}

/** Absolute path of a program, or null where no folder of PATH has it. */
export async function findProgram(
  name: string,
  folders = readTestEnvironment().path,
): Promise<string | null> {
  for (const folder of folders) {
    const path = join(folder, name);
    const runnable = await access(path, constants.X_OK).then(
      () => true,
      () => false,
    );
    if (runnable) return path;
  }
  return null;
}

/**
 * Starts a Redis on the loopback interface that keeps nothing on disk and ends with this process.
 * @param port default: a free one; give the old one to start a Redis again that was stopped
 */
export async function startRedis(port?: number): Promise<RedisServer> {
  const program = await findProgram('redis-server');
  if (!program) throw new Error('expected redis-server in PATH or REDIS_URL; `npm test` tells how to get it');
  const bound = port ?? (await restartPort());
  const folder = await mkdtemp(join(tmpdir(), 'millrace-redis-'));
  const settings = [
    '--port',
    String(bound),
    '--bind',
    '127.0.0.1',
    '--save',
    '',
    '--appendonly',
    'no',
    '--dir',
    folder,
  ];
  const server = supervise([program, ...settings], { account: null });
  const url = `redis://127.0.0.1:${bound}`;
  await waitFor(() => ping(url));
  return {
    url,
    port: bound,
    async stop() {
      await server.stop();
      await rm(folder, { recursive: true, force: true });
    },
  };
}

async function ping(url: string): Promise<boolean> {
  const redis = new Redis(url, {
    lazyConnect: true,
    retryStrategy: null,
    connectTimeout: 1_000,
    commandTimeout: 1_000,
  });
  redis.on('error', () => undefined);
  try {
    await redis.connect();
    return (await redis.ping()) === 'PONG';
  } finally {
    redis.disconnect();
  }
}
