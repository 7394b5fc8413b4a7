import { join } from 'node:path';
import { WebSocket } from 'ws';
import { toPublicId, newUuid } from '../../src/domain/ids.ts';
import { createLog } from '../../src/lib/log.ts';
import { insertApiKey } from '../../src/repositories/api-keys.ts';
import { openDatabase, type Database } from '../../src/repositories/db.ts';
import { createUpload, markUploadReceived } from '../../src/repositories/uploads.ts';
import { createClient, type MillraceClient } from '../../src/sdk/index.ts';
import { createOrganization } from '../support/organization.ts';
import { COLLECTING_GARBAGE } from '../support/spawn-api.ts';
import { startTcpProxy, type TcpProxy } from '../support/tcp-proxy.ts';
import type { Backend, Scale, StackShape } from './fault.ts';
import { createLedger } from './ledger.ts';
import { startProcess, type ChaosProcess } from './process.ts';
import { startServers, type Servers } from './servers.ts';

/** A whole installation of the run's own: servers, API and worker processes, and a client of each API. */
export interface Stack {
  readonly backend: Backend;
  readonly scale: Scale;
  readonly servers: Servers;
  /** Straight to PostgreSQL, past all proxies */
  readonly db: Database;
  readonly clients: readonly MillraceClient[];
  /** What the clients show */
  readonly token: string;
  /** An upload that every job may name as its source */
  readonly uploadId: string;
  readonly apis: ChaosProcess[];
  readonly workers: ChaosProcess[];
  /** In front of what proxied workers use; null where no worker is proxied */
  readonly proxies: { readonly postgres: TcpProxy; readonly redis: TcpProxy | null } | null;
  startWorker(): Promise<ChaosProcess>;
  /** An API process on the port of one that is gone: clients know the address */
  restartApi(index: number): Promise<void>;
  /**
   * Undoes what a fault may have left behind: servers are there, links are good, nothing is stopped, and processes that
   * crashed are started again. @returns the logs of those
   */
  mend(): Promise<string[]>;
  close(): Promise<void>;
}

export interface StackOptions {
  readonly backend: Backend;
  readonly scale: Scale;
  readonly shape: StackShape;
  /** Where the processes write their logs */
  readonly logFolder: string;
}

const APIS = 2;
const WORKERS = 2;
const CLOCK = new URL('./clock.mjs', import.meta.url).href;
const log = createLog({ level: 'error', process: 'chaos' });

export async function startStack(options: StackOptions): Promise<Stack> {
  const { backend, scale, shape, logFolder } = options;
  const undo: (() => Promise<unknown>)[] = [];
  const close = async (): Promise<void> => {
    for (const step of undo.splice(0).reverse()) await step();
  };
  try {
    const servers = await startServers(backend, scale);
    undo.push(() => servers.close());
    const db = openDatabase({
      url: servers.postgres.url,
      applicationName: 'chaos-harness',
      connectionsMax: 4,
      statementTimeoutMs: 15_000,
      log,
    });
    undo.push(() => db.close());
    await createLedger(db);
    const tenant = await createTenant(db);
    const proxies = shape.proxied ? await startProxies(servers) : null;
    if (proxies) undo.push(() => Promise.all([proxies.postgres.close(), proxies.redis?.close()]));

    const apis: ChaosProcess[] = [];
    const workers: ChaosProcess[] = [];
    undo.push(() => Promise.all([...apis, ...workers].map((process) => process.end())));
    const startApi = (index: number, port: string): Promise<ChaosProcess> =>
      startProcess({
        module: 'src/server.ts',
        nodeOptions: shape.collectedGarbage ? COLLECTING_GARBAGE : [],
        environment: { ...environmentOf(servers), PORT: port },
        logFile: join(logFolder, `api-${index + 1}.log`),
      });
    const restartApi = async (index: number): Promise<void> => {
      const { port } = new URL(apis[index]?.url ?? '');
      apis[index] = await startApi(index, port);
    };
    let workersStarted = 0;
    const startWorker = async (): Promise<ChaosProcess> => {
      workersStarted += 1;
      const number = workersStarted;
      const isProxied = shape.proxied === 'all' || (shape.proxied === 'first' && number === 1);
      const worker = await startProcess({
        module: 'test/chaos/worker.ts',
        args: [scale === 'full' ? 'real' : 'fast'],
        nodeOptions: shape.jumpingClocks ? ['--import', CLOCK] : [],
        environment: environmentOf(servers, isProxied ? proxies : null),
        logFile: join(logFolder, `worker-${number}.log`),
      });
      workers.push(worker);
      return worker;
    };
    for (let index = 0; index < APIS; index += 1) apis.push(await startApi(index, '0'));
    // One after the other: their numbers say which one is proxied.
    for (let index = 0; index < (shape.workers ?? WORKERS); index += 1) await startWorker();
    const clients = apis.map(({ url }) =>
      createClient({
        url: `${url}/graphql`,
        token: tenant.token,
        webSocketImpl: WebSocket,
        timeoutMs: 20_000,
      }),
    );
    undo.push(() => Promise.all(clients.map((client) => client.close())));
    return {
      backend,
      scale,
      servers,
      db,
      clients,
      ...tenant,
      apis,
      workers,
      proxies,
      startWorker,
      restartApi,
      async mend() {
        const crashed = [...apis, ...workers].filter((process) => process.crashed);
        [...apis, ...workers].forEach((process) => process.kill('SIGCONT'));
        proxies?.postgres.restore();
        proxies?.redis?.restore();
        await Promise.all([servers.postgres.start(), servers.redis?.start()]);
        for (const process of crashed) {
          const index = apis.indexOf(process);
          if (index >= 0) await restartApi(index);
          else {
            workers.splice(workers.indexOf(process), 1);
            await startWorker();
          }
        }
        return crashed.map((process) => process.log);
      },
      close,
    };
  } catch (error) {
    await close();
    throw error;
  }
}

function environmentOf(servers: Servers, proxies: Stack['proxies'] = null): Record<string, string> {
  const redis = proxies?.redis?.url ?? servers.redis?.url;
  return {
    NODE_ENV: 'production',
    DATABASE_URL: proxies?.postgres.url ?? servers.postgres.url,
    ...(redis ? { REDIS_URL: redis } : {}),
    MILLRACE_DATA_DIR: join(servers.folder, 'data'),
    HEALTH_PORT: '0',
    LOG_LEVEL: 'warn',
    WORKER_CONCURRENCY_DEFAULT: '1',
    WORKER_CONCURRENCY_LONG_RUNNING: '10',
  };
}

async function startProxies({ postgres, redis }: Servers): Promise<NonNullable<Stack['proxies']>> {
  return {
    postgres: await startTcpProxy(postgres.url),
    redis: redis ? await startTcpProxy(redis.url) : null,
  };
}

/** An organization, a key to it, and an upload that counts as received. */
async function createTenant(db: Database): Promise<{ token: string; uploadId: string }> {
  const { id: organizationId } = await createOrganization(db);
  const { token } = await insertApiKey(db, { organizationId, userId: null, name: 'chaos', role: 'member' });
  const id = newUuid();
  const storageKey = `${organizationId}/uploads/${id}`;
  await createUpload(db, {
    id,
    organizationId,
    filename: 'chaos.csv',
    contentType: 'text/csv',
    declaredBytes: null,
    storageKey,
    expiresAt: new Date(Date.now() + 86_400_000),
  });
  await markUploadReceived(db, organizationId, id, { byteSize: 1, sha256: '0'.repeat(64), storageKey });
  return { token, uploadId: toPublicId('upload', id) };
}
