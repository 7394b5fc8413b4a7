import { mkdir, realpath } from 'node:fs/promises';
import type { Log } from '../lib/log.ts';
import { ensureCluster, SUPERUSER, type Cluster } from './embedded-cluster.ts';
import { claimHome, clearOrphan, releaseHome } from './embedded-orphan.ts';
import { choosePlace, type Place } from './embedded-place.ts';
import { startServer, withSuperuser, type Server, type ServerOptions } from './embedded-server.ts';

const DATABASE = 'millrace';
/** The free port may be taken by another process before the server binds it. */
const START_TRIES = 3;

export interface EmbeddedPostgresOptions {
  /** The cluster lives in `<dataDir>/postgres`; the same folder gives the same data at the next start */
  readonly dataDir: string;
  /** Default true. false: no fsync, for tests */
  readonly durable?: boolean;
  /** Default: a free one; give the old one to start a server again that was stopped */
  readonly port?: number;
  readonly log: Log;
  /** Where root puts what the server's account cannot read in place; default: STAGING_ROOTS */
  readonly stagingRoots?: readonly string[];
}

export interface EmbeddedPostgres {
  /** Of the database `millrace`, as its superuser, on 127.0.0.1 */
  readonly url: string;
  /** Resolves when the server has ended, wanted or not */
  readonly exited: Promise<void>;
  /** Fast shutdown within 5 s, else SIGKILL; safe to call twice */
  stop(): Promise<void>;
}

/**
 * A real PostgreSQL of our own, from the platform package in node_modules. It ends with this process, also when that
 * is killed.
 * @throws EmbeddedPostgresError that tells what to do where there is no binary, or the data is in use
 */
export async function startEmbeddedPostgres(options: EmbeddedPostgresOptions): Promise<EmbeddedPostgres> {
  await mkdir(options.dataDir, { recursive: true });
  const place = await choosePlace(await realpath(options.dataDir), options.stagingRoots);
  const cluster = await ensureCluster(place);
  await clearOrphan(place.home, cluster.folder, options.log);
  // Before and after: a second start at the same moment finds an owner at once, and the winner's name stays.
  await claimHome(place.home);
  const { durable = true, port, log } = options;
  const server = await startPatiently(place, cluster, { durable, log, ...(port ? { port } : {}) });
  await claimHome(place.home);
  await createDatabase(server, cluster);
  return {
    url: `postgresql://${SUPERUSER}:${cluster.password}@127.0.0.1:${server.port}/${DATABASE}`,
    exited: server.exited,
    async stop() {
      await server.stop();
      await releaseHome(place.home);
    },
  };
}

async function startPatiently(place: Place, cluster: Cluster, options: ServerOptions): Promise<Server> {
  for (let tries = 1; ; tries += 1) {
    try {
      return await startServer(place, cluster, options);
    } catch (error) {
      if (tries >= START_TRIES) throw error;
      options.log.debug({ err: error }, 'PostgreSQL did not start; trying again');
    }
  }
}

async function createDatabase(server: Server, cluster: Cluster): Promise<void> {
  const login = { port: server.port, password: cluster.password, database: 'postgres' };
  await withSuperuser(login, async (client) => {
    const { rowCount } = await client.query('SELECT 1 FROM pg_database WHERE datname = $1', [DATABASE]);
    if (rowCount === 0) await client.query(`CREATE DATABASE ${DATABASE}`);
  });
}
