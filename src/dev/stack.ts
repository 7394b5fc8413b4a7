import type { Config } from '../config.ts';
import { encryptCredentials } from '../connections/open.ts';
import { demoProviders } from '../connectors/demo.ts';
import type { Log } from '../lib/log.ts';
import { seedDemo, type DemoAccount } from '../repositories/demo-seed.ts';
import { openDatabase } from '../repositories/db.ts';
import { startEmbeddedPostgres } from '../repositories/embedded.ts';
import { migrate } from '../repositories/migrate.ts';
import { deriveToken, loadMasterSecret, openCipher } from '../secrets/index.ts';
import { SupervisedChild } from './child.ts';

export interface Stack {
  /** Absolute URLs of the running API */
  readonly graphql: string;
  readonly ws: string;
  readonly web: string;
  /** Of the demo organization */
  readonly tokens: { readonly admin: string; readonly member: string; readonly viewer: string };
  /** Whether accounts were connected whose figures are made up */
  readonly hasDemoAccounts: boolean;
  /** Resolves when the database has ended by itself: nothing can go on then */
  readonly databaseEnded: Promise<void>;
  stop(): Promise<void>;
}

interface StackOptions {
  readonly config: Config;
  /** What the processes inherit */
  readonly environment: Readonly<Record<string, string | undefined>>;
  readonly log: Log;
}

export const API_PROCESS = { name: 'API', module: 'src/server.ts' };

/** Node lets a heap grow by the memory of the machine; with a limit it clears up in time (200 instead of 290 MB in an import). */
export const WORKER_PROCESS = {
  name: 'worker',
  module: 'worker/main.ts',
  nodeOptions: ['--max-old-space-size=1024'],
};

/** The whole of Millrace on this machine: database, migrations, demo organization, API and worker. */
export async function startStack({ config, environment, log }: StackOptions): Promise<Stack> {
  const opened: { stop(): Promise<unknown> }[] = [];
  const stop = async (): Promise<void> => {
    // Processes first and together, the database last.
    const [database, ...processes] = opened;
    await Promise.all(processes.map((process) => process.stop()));
    await database?.stop();
  };
  try {
    const database = await openServer(config, log);
    opened.push(database);
    await migrate({ url: database.url, bullmq: config.broker.type === 'postgres', log });
    const tokens = await seed(config, database.url, log);
    const env = {
      // Who ends `npm run dev` does not want to wait; what runs goes back at once.
      SHUTDOWN_GRACE_SECONDS: '0',
      ...environment,
      DATABASE_URL: database.url,
      MILLRACE_DATA_DIR: config.dataDir,
      MILLRACE_DEV_TOKEN: tokens.member,
    };
    const start = async (options: {
      name: string;
      module: string;
      nodeOptions?: readonly string[];
    }): Promise<SupervisedChild> => {
      const child = await SupervisedChild.start({ ...options, env, log });
      opened.push(child);
      return child;
    };
    const [api] = await Promise.all([start(API_PROCESS), start(WORKER_PROCESS)]);
    const graphql = `${api.url}/graphql`;
    return {
      graphql,
      ws: graphql.replace(/^http/, 'ws'),
      web: api.url,
      tokens,
      hasDemoAccounts: config.demoProviders,
      databaseEnded: database.exited,
      stop,
    };
  } catch (error) {
    await stop();
    throw error;
  }
}

async function openServer(
  config: Config,
  log: Log,
): Promise<{ url: string; exited: Promise<void>; stop(): Promise<void> }> {
  if (config.database.type === 'embedded') return startEmbeddedPostgres({ dataDir: config.dataDir, log });
  return { url: config.database.url, exited: new Promise(() => undefined), stop: () => Promise.resolve() };
}

async function seed(config: Config, url: string, log: Log): Promise<Stack['tokens']> {
  const secret = await loadMasterSecret(config);
  const tokens = {
    admin: deriveToken(secret, 'demo-admin'),
    member: deriveToken(secret, 'demo-member'),
    viewer: deriveToken(secret, 'demo-viewer'),
  };
  const db = openDatabase({
    url,
    applicationName: 'millrace-seed',
    connectionsMax: 2,
    statementTimeoutMs: 30_000,
    log,
  });
  try {
    const cipher = openCipher(secret, config.encryptionKeys);
    await seedDemo(db, {
      tokens,
      accounts: config.demoProviders ? demoAccounts() : [],
      encrypted: (connectionId) => encryptCredentials(cipher, connectionId, {}),
    });
  } finally {
    await db.close();
  }
  return tokens;
}

function demoAccounts(): DemoAccount[] {
  return demoProviders.map(({ connector, account }) => ({
    provider: connector.provider,
    account,
    entities: Object.entries(connector.entities).map(([name, { feeds }]) => ({ name, feeds })),
  }));
}
