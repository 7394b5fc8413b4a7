import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createApp, type App, type AppOptions } from '../../src/app.ts';
import { readConfig } from '../../src/config.ts';
import { newUuid } from '../../src/domain/ids.ts';
import { jobCatalogue } from '../../src/jobs/index.ts';
import { insertApiKey } from '../../src/repositories/api-keys.ts';
import { createTestDatabase, type TestDatabase } from './database.ts';
import { silentLog } from './log.ts';
import { createOrganization, type TestOrganization } from './organization.ts';
import { redisPrefix, redisUrl } from './redis.ts';

export type TestRole = 'admin' | 'member' | 'viewer';

export interface GraphQLAnswer {
  readonly status: number;
  readonly data: Record<string, unknown> | null;
  readonly errors: readonly {
    readonly message: string;
    readonly path?: unknown[];
    readonly extensions: Record<string, unknown>;
  }[];
}

export interface TestApi extends AsyncDisposable {
  /** `http://127.0.0.1:…` */
  readonly url: string;
  readonly graphqlUrl: string;
  readonly database: TestDatabase;
  readonly dataDir: string;
  readonly app: App;
  /** What a worker process needs to join this API */
  readonly environment: Readonly<Record<string, string>>;
  readonly organization: TestOrganization;
  /** Of `organization`, by role; and one of another organization */
  readonly tokens: Readonly<Record<TestRole | 'stranger', string>>;
  /** Runs one operation over HTTP; without a token when `role` is null. */
  ask(query: string, variables?: object, role?: TestRole | 'stranger' | null): Promise<GraphQLAnswer>;
  /** The same with any token. */
  askWith(token: string, query: string, variables?: object): Promise<GraphQLAnswer>;
  close(): Promise<void>;
}

interface ApiOptions extends Partial<
  Pick<AppOptions, 'catalogue' | 'panels' | 'clock' | 'log' | 'connectors'>
> {
  /** Default: postgres */
  readonly broker?: 'postgres' | 'redis';
  readonly environment?: Readonly<Record<string, string>>;
}

/** An API process' app on a fresh database with one organization, a key per role, and a stranger with a key of theirs. */
export async function startApi(options: ApiOptions = {}): Promise<TestApi> {
  const database = closeOnce(await createTestDatabase());
  const dataDir = await mkdtemp(join(tmpdir(), 'millrace-api-'));
  const organization = await createOrganization(database.db);
  const tokens = await issueTokens(database, organization);
  const environment = {
    NODE_ENV: 'test',
    PORT: '0',
    HEALTH_PORT: '0',
    DATABASE_URL: database.url,
    MILLRACE_DATA_DIR: dataDir,
    LOG_LEVEL: 'silent',
    SHUTDOWN_GRACE_SECONDS: '0',
    ...(options.broker === 'redis' ? { REDIS_URL: redisUrl(), REDIS_PREFIX: redisPrefix() } : {}),
    ...options.environment,
  };
  const config = readConfig(environment);
  const app = await createApp(config, {
    databaseUrl: database.url,
    directDatabaseUrl: database.url,
    catalogue: jobCatalogue,
    log: silentLog,
    ...options,
  });
  const { url } = await app.listen();
  const graphqlUrl = `${url}/graphql`;
  const close = async (): Promise<void> => {
    await app.close();
    await database.close();
    await rm(dataDir, { recursive: true, force: true });
  };
  return {
    url,
    graphqlUrl,
    database,
    dataDir,
    app,
    environment,
    organization,
    tokens,
    ask: (query, variables = {}, role = 'member') =>
      post(graphqlUrl, role && tokens[role], { query, variables }),
    askWith: (token, query, variables = {}) => post(graphqlUrl, token, { query, variables }),
    close,
    [Symbol.asyncDispose]: close,
  };
}

/** Some tests take the database away themselves. */
function closeOnce(database: TestDatabase): TestDatabase {
  let closed: Promise<void> | undefined;
  const close = (): Promise<void> => (closed ??= database.close());
  return { ...database, close, [Symbol.asyncDispose]: close };
}

async function issueTokens({ db }: TestDatabase, organization: TestOrganization): Promise<TestApi['tokens']> {
  const stranger = await createOrganization(db, { name: 'Strangers Ltd.' });
  const issue = async (organizationId: string, role: TestRole): Promise<string> => {
    const userId = newUuid();
    await db.query('INSERT INTO users (id, email, name) VALUES ($1, $2, $3)', [
      userId,
      `${role}-${userId}@example.com`,
      role,
    ]);
    await db.query('INSERT INTO memberships (organization_id, user_id, role) VALUES ($1, $2, $3)', [
      organizationId,
      userId,
      role,
    ]);
    return (await insertApiKey(db, { organizationId, userId, name: role, role })).token;
  };
  return {
    admin: await issue(organization.id, 'admin'),
    member: await issue(organization.id, 'member'),
    viewer: await issue(organization.id, 'viewer'),
    stranger: await issue(stranger.id, 'admin'),
  };
}

async function post(url: string, token: string | null, body: object): Promise<GraphQLAnswer> {
  const response = await fetch(url, {
    method: 'POST',
    headers: { 'content-type': 'application/json', ...(token ? { authorization: `Bearer ${token}` } : {}) },
    body: JSON.stringify(body),
  });
  const { data = null, errors = [] } = (await response.json()) as Partial<GraphQLAnswer>;
  return { status: response.status, data, errors };
}
