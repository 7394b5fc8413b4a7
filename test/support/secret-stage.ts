import { randomBytes } from 'node:crypto';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Redis } from 'ioredis';
import { createMasterSecret } from '../../src/secrets/index.ts';
import { createTestDatabase, type TestDatabase } from './database.ts';
import type { BrokerName } from './engine.ts';
import { startIdentityProvider, type TestIdentityProvider } from './identity-provider.ts';
import { startMailServer } from './mail-server.ts';
import { createOrganization } from './organization.ts';
import { startRecorded, type RecordedProcess } from './recorded-process.ts';
import { redisPrefix, redisUrl } from './redis.ts';
import type { Written } from './secret-search.ts';
import { startReceiver, type WebhookReceiver } from './webhook-receiver.ts';

/** An installation whose secrets are all known, and of which all is recorded. */
export interface SecretStage extends AsyncDisposable {
  /** By name; tests add those that are made while it runs */
  readonly secrets: Map<string, string | Buffer>;
  /** Logs are at their most talkative */
  readonly environment: Readonly<Record<string, string>>;
  readonly database: TestDatabase;
  readonly organizationId: string;
  readonly provider: TestIdentityProvider;
  readonly receivers: Readonly<Record<'good' | 'bad', WebhookReceiver>>;
  readonly redis: Redis | null;
  readonly prefix: string;
  readonly dataDir: string;
  /** Starts a process of ours, of which every word counts as written. */
  start(module: string, more?: Readonly<Record<string, string>>, args?: readonly string[]): RecordedProcess;
  /** What the processes said */
  logs(): Written[];
  /** Ends every connection to PostgreSQL and Redis, as their restart does. */
  cutConnections(): Promise<void>;
}

/** Has what must be escaped in an URL, in JSON and in a pattern. */
const newPassword = (): string => `pw/${randomBytes(12).toString('base64url')}+"%`;

export async function stageSecrets(broker: BrokerName): Promise<SecretStage> {
  const stack = new Undo();
  const database = await createTestDatabase();
  stack.use(() => database.close());
  const dataDir = await mkdtemp(join(tmpdir(), 'millrace-secrets-'));
  stack.use(() => rm(dataDir, { recursive: true, force: true }));
  const mail = await startMailServer();
  stack.use(() => mail.close());
  const provider = await startIdentityProvider();
  stack.use(async () => provider[Symbol.asyncDispose]());
  const receivers = { good: await startReceiver(), bad: await startReceiver() };
  stack.use(async () => void (await Promise.all([receivers.good.close(), receivers.bad.close()])));
  receivers.bad.answer = ({ headers }) => ({ status: 500, headers: { 'x-echo': JSON.stringify(headers) } });

  const account = `leak_${randomBytes(6).toString('hex')}`;
  const passwords = { postgres: newPassword(), redis: newPassword(), smtp: newPassword() };
  const databaseUrl = await openAccount(database, account, passwords.postgres);
  stack.use(() => closeAccount(database, account));
  const redis = broker === 'redis' ? new Redis(redisUrl()) : null;
  if (redis) {
    await redis.acl('SETUSER', account, 'on', `>${passwords.redis}`, '~*', '&*', '+@all');
    stack.use(async () => void (await redis.acl('DELUSER', account).finally(() => redis.disconnect())));
  }
  const prefix = redisPrefix();
  const master = randomBytes(30).toString('base64');
  const ringKey = randomBytes(32);
  const metricsToken = randomBytes(24).toString('base64url');
  const smtpUrl = withLogin(mail.url, 'millrace', passwords.smtp);
  const environment = {
    NODE_ENV: 'test',
    PORT: '0',
    HEALTH_PORT: '0',
    LOG_LEVEL: 'trace',
    LOG_FORMAT: 'json',
    SHUTDOWN_GRACE_SECONDS: '0',
    DATABASE_URL: databaseUrl,
    MILLRACE_DATA_DIR: dataDir,
    MILLRACE_SECRET: master,
    MILLRACE_ENCRYPTION_KEYS: `old:${ringKey.toString('base64')}`,
    METRICS_TOKEN: metricsToken,
    SMTP_URL: smtpUrl,
    MAIL_FROM: 'millrace@example.com',
    AUTH_JWKS_URL: provider.jwksUrl,
    AUTH_ISSUER: provider.issuer,
    AUTH_AUDIENCE: provider.audience,
    ...(redis ? { REDIS_URL: withLogin(redisUrl(), account, passwords.redis), REDIS_PREFIX: prefix } : {}),
  };
  const keys = createMasterSecret(master);
  const processes: { readonly name: string; readonly process: RecordedProcess }[] = [];
  stack.use(async () => {
    for (const { process } of processes) await process[Symbol.asyncDispose]();
  });
  return {
    secrets: new Map<string, string | Buffer>([
      ['password of PostgreSQL', passwords.postgres],
      ['password of the mail server', passwords.smtp],
      ...(redis ? ([['password of Redis', passwords.redis]] as const) : []),
      ['MILLRACE_SECRET', master],
      ['key of the ring', ringKey],
      ['METRICS_TOKEN', metricsToken],
      ['derived key of the cipher', keys.deriveKey('encryption')],
      ['derived key of signed URLs', keys.deriveKey('signed-url')],
    ]),
    environment,
    database,
    organizationId: (await createOrganization(database.db)).id,
    provider,
    receivers,
    redis,
    prefix,
    dataDir,
    start(module, more = {}, args = []) {
      const process = startRecorded(module, { ...environment, ...more }, args);
      processes.push({ name: module, process });
      return process;
    },
    logs: () =>
      processes.map(({ name, process }) => ({ where: `what ${name} said`, text: process.output() })),
    async cutConnections() {
      await database.db.query('SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE usename = $1', [
        account,
      ]);
      await redis?.call('CLIENT', 'KILL', 'USER', account);
    },
    [Symbol.asyncDispose]: () => stack.dispose(),
  };
}

/** A login of its own with all that the tests' account may. @returns the database's URL with it */
async function openAccount({ db, url }: TestDatabase, name: string, password: string): Promise<string> {
  const { rows } = await db.query<{ sql: string }>(
    `SELECT format('CREATE ROLE %I LOGIN PASSWORD %L IN ROLE %I', $1::text, $2::text, current_user) AS sql`,
    [name, password],
  );
  await db.query(rows[0]?.sql ?? '');
  return withLogin(url, name, password);
}

async function closeAccount({ db }: TestDatabase, name: string): Promise<void> {
  await db.query(`DROP OWNED BY ${name} CASCADE`);
  await db.query(`DROP ROLE ${name}`);
}

export function withLogin(url: string, name: string, password: string): string {
  const changed = new URL(url);
  changed.username = name;
  changed.password = encodeURIComponent(password);
  return changed.href;
}

/** Undoes in reverse. */
class Undo {
  private readonly undo: (() => Promise<void>)[] = [];
  use(undo: () => Promise<void>): void {
    this.undo.push(undo);
  }
  async dispose(): Promise<void> {
    for (const undo of this.undo.splice(0).reverse()) await undo();
  }
}
