import { join } from 'node:path';
import pg from 'pg';
import { sleep, toError } from '../lib/abort.ts';
import type { Log } from '../lib/log.ts';
import { SUPERUSER, type Cluster } from './embedded-cluster.ts';
import { EmbeddedPostgresError } from './embedded-error.ts';
import type { Place } from './embedded-place.ts';
import { freePort, supervise, type Supervised } from './embedded-supervisor.ts';

/** A cold start after a crash replays what the last checkpoint left: at most some hundred MB. */
const READY_TIMEOUT_MS = 60_000;
const POLL_MS = 20;

export interface Server {
  readonly port: number;
  /** Resolves when the server has ended, wanted or not */
  readonly exited: Promise<void>;
  /** Fast shutdown, SIGKILL after 5 s; safe to call twice */
  stop(): Promise<void>;
}

export interface ServerOptions {
  /** false: faster, and a crash of the machine may ruin the data: for tests alone */
  readonly durable: boolean;
  /** Default: a free one */
  readonly port?: number;
  readonly log: Log;
}

/** Starts `postgres` on the loopback interface and waits until it answers. */
export async function startServer(place: Place, cluster: Cluster, options: ServerOptions): Promise<Server> {
  const port = options.port ?? (await freePort());
  const command = [
    join(place.binaries.folder, 'bin', 'postgres'),
    ...serverArguments(cluster, port, options.durable),
  ];
  const child = supervise(command, {
    account: place.account,
    onLine: (line) => options.log.debug({ postgres: line }, 'PostgreSQL says'),
  });
  try {
    await waitUntilReady(child, { port, password: cluster.password });
  } catch (error) {
    await child.stop();
    throw new EmbeddedPostgresError(
      `The embedded PostgreSQL did not start: ${[toError(error).message, ...child.lastLines].join('\n  ')}`,
      { cause: error },
    );
  }
  return { port, exited: child.exited, stop: child.stop };
}

function serverArguments(cluster: Cluster, port: number, durable: boolean): string[] {
  const settings = {
    listen_addresses: '127.0.0.1',
    port,
    // TCP with a password is the only way in.
    unix_socket_directories: '',
    max_connections: 200,
    shared_buffers: '128MB',
    // Bulk imports would checkpoint every few seconds with the default of 1 GB.
    max_wal_size: '2GB',
    log_line_prefix: '',
    lc_messages: 'C',
    ...(durable
      ? {}
      : { fsync: 'off', synchronous_commit: 'off', full_page_writes: 'off', max_wal_size: '512MB' }),
  };
  return [
    '-D',
    cluster.folder,
    ...Object.entries(settings).flatMap(([name, value]) => ['-c', `${name}=${value}`]),
  ];
}

async function waitUntilReady(child: Supervised, login: { port: number; password: string }): Promise<void> {
  const deadline = Date.now() + READY_TIMEOUT_MS;
  let failure = new Error('it never answered');
  while (Date.now() < deadline) {
    if (child.ended) throw new Error('it ended at once');
    try {
      await withSuperuser({ ...login, database: 'postgres' }, (client) => client.query('SELECT 1'));
      return;
    } catch (error) {
      failure = toError(error);
    }
    await sleep(POLL_MS);
  }
  throw failure;
}

/** Runs `fn` with a connection of its own. */
export async function withSuperuser<T>(
  login: { port: number; password: string; database: string },
  fn: (client: pg.Client) => Promise<T>,
): Promise<T> {
  const client = new pg.Client({
    ...login,
    host: '127.0.0.1',
    user: SUPERUSER,
    connectionTimeoutMillis: 5_000,
    query_timeout: 30_000,
  });
  client.on('error', () => undefined);
  try {
    await client.connect();
    return await fn(client);
  } finally {
    await client.end().catch(() => undefined);
  }
}
