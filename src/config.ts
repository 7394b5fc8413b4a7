import { resolve } from 'node:path';
import { z } from 'zod';
import type { OAuthApps } from './domain/oauth-app.ts';
import { limitVariables, toApiLimits, type ApiLimits } from './domain/api-limits.ts';
import type { IdentityProviderConfig } from './domain/identity-provider.ts';
import { StartError } from './lib/entry.ts';
import { halvesIn, oauthVariables, toOAuthApps } from './config/oauth-apps.ts';
import { parseBaseUrls, parseKeys, parseList, parseOrigins, parseRoles } from './config/parsers.ts';

/** A whole number from the environment, within bounds. */
const whole = (min: number, max: number) => z.coerce.number().int().min(min).max(max);

const environment = z.object({
  NODE_ENV: z.enum(['development', 'test', 'production']).default('development'),
  HOST: z.string().min(1).default('127.0.0.1'),
  /** 0 picks a free port */
  PORT: whole(0, 65_535).default(4000),
  /** Of the worker's /healthz, /readyz and /metrics; 0 picks a free port */
  HEALTH_PORT: whole(0, 65_535).default(4001),
  /** Makes every `url` in the API absolute; default: the bound address */
  PUBLIC_URL: z.url({ protocol: /^https?$/ }).optional(),
  DATABASE_URL: z.url({ protocol: /^postgres(ql)?$/ }).optional(),
  /** For LISTEN where DATABASE_URL is a transaction pooler */
  DATABASE_DIRECT_URL: z.url({ protocol: /^postgres(ql)?$/ }).optional(),
  DATABASE_CONNECTIONS: whole(4, 500).default(10),
  REDIS_URL: z.url({ protocol: /^rediss?$/ }).optional(),
  /** Keeps several installations apart in one Redis */
  REDIS_PREFIX: z
    .string()
    .regex(/^[a-z0-9_-]{1,40}$/i)
    .default('millrace'),
  MILLRACE_DATA_DIR: z.string().min(1).default('.data'),
  /** Signs upload and file URLs; made and kept in the data folder when absent */
  MILLRACE_SECRET: z.string().min(32).optional(),
  /** Filled into GraphiQL and the job page; in production it is not */
  MILLRACE_DEV_TOKEN: z.string().min(1).max(200).optional(),
  /** Where an identity provider publishes its keys; its tokens are taken when this, issuer and audience are set */
  AUTH_JWKS_URL: z.url({ protocol: /^https?$/ }).optional(),
  AUTH_ISSUER: z.string().min(1).optional(),
  AUTH_AUDIENCE: z.string().min(1).optional(),
  /** How far its clock and ours may be apart */
  AUTH_CLOCK_SKEW_SECONDS: whole(0, 600).default(30),
  /** Claims of its tokens, by name or by a path with dots */
  AUTH_EMAIL_CLAIM: z.string().min(1).default('email'),
  AUTH_NAME_CLAIM: z.string().min(1).default('name'),
  /** Absent: members are who was invited */
  AUTH_ORGANIZATIONS_CLAIM: z.string().min(1).optional(),
  AUTH_ROLE_CLAIM: z.string().min(1).default('role'),
  /** Its names of roles: `owner=admin, editor=member`; ours are known without */
  AUTH_ROLES: z.string().transform(parseRoles).optional(),
  /** `id:base64` of 32 bytes each, comma between; the first encrypts, all decrypt. Absent: a key from MILLRACE_SECRET */
  MILLRACE_ENCRYPTION_KEYS: z.string().transform(parseKeys).optional(),
  /** Providers that make their figures up; default: in development alone */
  DEMO_PROVIDERS: z.enum(['true', 'false']).optional(),
  /** Webhooks and other requests to given addresses may go to this machine and its network */
  ALLOW_PRIVATE_ADDRESSES: z.enum(['true', 'false']).optional(),
  /** Mail is sent when both are set */
  SMTP_URL: z.url({ protocol: /^smtps?$/ }).optional(),
  MAIL_FROM: z
    .string()
    .min(3)
    .max(320)
    .regex(/^[^\r\n]*@[^\r\n]*$/, 'expected an e-mail address')
    .optional(),
  /** Stand-ins for providers, for tests and development: `stripe=http://127.0.0.1:4010`; not in production */
  PROVIDER_BASE_URLS: z.string().transform(parseBaseUrls).optional(),
  LOG_LEVEL: z.enum(['trace', 'debug', 'info', 'warn', 'error', 'fatal', 'silent']).default('info'),
  /** Default: for people in development, JSON lines otherwise */
  LOG_FORMAT: z.enum(['json', 'pretty']).optional(),
  UPLOAD_BYTES_MAX: whole(1, Number.MAX_SAFE_INTEGER).default(2 * 1024 ** 3),
  WORKER_CONCURRENCY_DEFAULT: whole(1, 200).default(10),
  WORKER_CONCURRENCY_LONG_RUNNING: whole(1, 50).default(2),
  /** Running jobs of a worker that goes away have this long to finish before they are handed back */
  SHUTDOWN_GRACE_SECONDS: whole(0, 3_600).default(5),
  /** Opens the API's /metrics to whoever sends it as a bearer token; absent: there is no such address */
  METRICS_TOKEN: z.string().min(16).max(500).optional(),
  /** Pages of these origins may use the API from a browser; our own always may */
  CORS_ORIGINS: z.string().transform(parseOrigins).optional(),
  /** JSON files of operations that clients may name instead of sending them, comma between */
  PERSISTED_OPERATIONS: z.string().transform(parseList).optional(),
  /** Whether only those run, and what the SDK and our own pages send */
  PERSISTED_OPERATIONS_ONLY: z.enum(['true', 'false']).default('false'),
  /** Whether whoever has a token may ask for the schema */
  INTROSPECTION: z.enum(['true', 'false']).default('true'),
});

/** Names of all that is read. */
export const CONFIG_VARIABLES: readonly string[] = [environment, limitVariables, oauthVariables].flatMap(
  ({ shape }) => Object.keys(shape),
);

type Environment = z.infer<typeof environment>;

/** What every process knows. Queue and bus follow REDIS_URL; files follow the data folder. */
export interface Config {
  readonly mode: Environment['NODE_ENV'];
  readonly host: string;
  readonly port: number;
  readonly healthPort: number;
  readonly publicUrl: string | null;
  /** `embedded`: dev.ts starts it in the data folder and hands its URL to the processes */
  readonly database:
    | { readonly type: 'embedded' }
    | { readonly type: 'url'; readonly url: string; readonly directUrl: string };
  readonly databaseConnections: number;
  readonly broker:
    { readonly type: 'postgres' } | { readonly type: 'redis'; readonly url: string; readonly prefix: string };
  readonly dataDir: string;
  readonly secret: string | null;
  /** The first encrypts; none: a key from the secret does */
  readonly encryptionKeys: readonly { readonly id: string; readonly key: Buffer }[];
  /** Whether accounts can be connected whose figures are made up; never in production */
  readonly demoProviders: boolean;
  /** What addresses that people give us may be */
  readonly outbound: { readonly allowPrivateAddresses: boolean; readonly requireHttps: boolean };
  /** By provider; one without is connected by keys alone */
  readonly oauthApps: OAuthApps;
  /** By provider, in the place of its own address; always empty in production */
  readonly providerBaseUrls: Readonly<Record<string, string>>;
  /** Null: no mail is sent */
  readonly mail: { readonly smtpUrl: string; readonly from: string } | null;
  /** A token that pages are served with, so that a newcomer need not bring one; always null in production */
  readonly devToken: string | null;
  /** Null: only API keys are taken */
  readonly identityProvider: IdentityProviderConfig | null;
  readonly logLevel: Environment['LOG_LEVEL'];
  readonly logFormat: 'json' | 'pretty';
  readonly uploadBytesMax: number;
  readonly concurrency: {
    readonly default: number;
    readonly long_running: number;
    readonly scheduled: number;
    readonly internal: number;
  };
  readonly shutdownGraceMs: number;
  /** null: the API has no /metrics */
  readonly metricsToken: string | null;
  /** Origins whose pages may use the API, beside our own */
  readonly corsOrigins: readonly string[];
  /** Operations that clients may name; `isExclusive`: the only ones that run */
  readonly persistedOperations: { readonly files: readonly string[]; readonly isExclusive: boolean };
  /** Whether whoever has a token may ask for the schema */
  readonly introspection: boolean;
  /** What one caller may ask for */
  readonly limits: ApiLimits;
}

/** All that is wrong with the environment, in one error for people. */
export class ConfigError extends StartError {
  override readonly name = 'ConfigError';
}

/** What this process was started with, for the processes that it starts itself. */
export function currentEnvironment(): Readonly<Record<string, string | undefined>> {
  return process.env;
}

/** @throws ConfigError that names every violation at once */
export function readConfig(env = currentEnvironment()): Config {
  const given = Object.fromEntries(
    Object.entries(env).filter(([, value]) => value !== undefined && value !== ''),
  );
  const parsed = environment.safeParse(given);
  const limits = limitVariables.safeParse(given);
  const oauth = oauthVariables.safeParse(given);
  if (!parsed.success || !limits.success || !oauth.success) {
    const issues = [parsed, limits, oauth].flatMap(({ error }) => error?.issues ?? []);
    throw new ConfigError(describe(issues, given));
  }
  const contradictions = [...contradictionsIn(parsed.data), ...halvesIn(oauth.data)];
  if (contradictions.length > 0) {
    const lines = contradictions.map((contradiction) => `- ${contradiction}`);
    throw new ConfigError(['The configuration is not usable:', ...lines].join('\n'));
  }
  return toConfig(parsed.data, toApiLimits(limits.data), toOAuthApps(oauth.data));
}

/** Variables that mean nothing without another: name, and the one it needs. */
const COMPANIONS = [
  ['DATABASE_DIRECT_URL', 'DATABASE_URL'],
  ['SMTP_URL', 'MAIL_FROM'],
  ['MAIL_FROM', 'SMTP_URL'],
  ['AUTH_JWKS_URL', 'AUTH_ISSUER'],
  ['AUTH_ISSUER', 'AUTH_AUDIENCE'],
  ['AUTH_AUDIENCE', 'AUTH_JWKS_URL'],
] as const;

/** What each variable allows and they do not allow together. */
function contradictionsIn(env: Environment): string[] {
  const alone = COMPANIONS.filter(([name, other]) => env[name] && !env[other]);
  const isDemoInProduction = env.NODE_ENV === 'production' && env.DEMO_PROVIDERS === 'true';
  return [
    ...alone.map(([name, other]) => `${name}: expected ${other} beside it, got none`),
    ...(env.NODE_ENV === 'production' && env.PROVIDER_BASE_URLS
      ? ['PROVIDER_BASE_URLS: expected nothing in production']
      : []),
    ...(isDemoInProduction ? ['DEMO_PROVIDERS: expected "false" in production, got "true"'] : []),
  ];
}

function toConfig(env: Environment, limits: ApiLimits, oauthApps: OAuthApps): Config {
  const isProduction = env.NODE_ENV === 'production';
  return {
    mode: env.NODE_ENV,
    host: env.HOST,
    port: env.PORT,
    healthPort: env.HEALTH_PORT,
    publicUrl: env.PUBLIC_URL?.replace(/\/+$/, '') ?? null,
    database: env.DATABASE_URL
      ? { type: 'url', url: env.DATABASE_URL, directUrl: env.DATABASE_DIRECT_URL ?? env.DATABASE_URL }
      : { type: 'embedded' },
    databaseConnections: env.DATABASE_CONNECTIONS,
    broker: env.REDIS_URL
      ? { type: 'redis', url: env.REDIS_URL, prefix: env.REDIS_PREFIX }
      : { type: 'postgres' },
    dataDir: resolve(env.MILLRACE_DATA_DIR),
    secret: env.MILLRACE_SECRET ?? null,
    encryptionKeys: env.MILLRACE_ENCRYPTION_KEYS ?? [],
    demoProviders: env.DEMO_PROVIDERS ? env.DEMO_PROVIDERS === 'true' : env.NODE_ENV === 'development',
    outbound: {
      allowPrivateAddresses: env.ALLOW_PRIVATE_ADDRESSES
        ? env.ALLOW_PRIVATE_ADDRESSES === 'true'
        : !isProduction,
      requireHttps: isProduction,
    },
    oauthApps,
    providerBaseUrls: env.PROVIDER_BASE_URLS ?? {},
    mail: env.SMTP_URL && env.MAIL_FROM ? { smtpUrl: env.SMTP_URL, from: env.MAIL_FROM } : null,
    devToken: isProduction ? null : (env.MILLRACE_DEV_TOKEN ?? null),
    identityProvider: identityProviderOf(env),
    logLevel: env.LOG_LEVEL,
    logFormat: env.LOG_FORMAT ?? (env.NODE_ENV === 'development' ? 'pretty' : 'json'),
    uploadBytesMax: env.UPLOAD_BYTES_MAX,
    concurrency: {
      default: env.WORKER_CONCURRENCY_DEFAULT,
      long_running: env.WORKER_CONCURRENCY_LONG_RUNNING,
      scheduled: 2,
      // Deliveries of webhooks and mails mostly wait for others.
      internal: 5,
    },
    shutdownGraceMs: env.SHUTDOWN_GRACE_SECONDS * 1_000,
    metricsToken: env.METRICS_TOKEN ?? null,
    corsOrigins: env.CORS_ORIGINS ?? [],
    persistedOperations: {
      files: (env.PERSISTED_OPERATIONS ?? []).map((file) => resolve(file)),
      isExclusive: env.PERSISTED_OPERATIONS_ONLY === 'true',
    },
    introspection: env.INTROSPECTION === 'true',
    limits,
  };
}

function identityProviderOf(env: Environment): IdentityProviderConfig | null {
  const { AUTH_JWKS_URL: jwksUrl, AUTH_ISSUER: issuer, AUTH_AUDIENCE: audience } = env;
  if (!jwksUrl || !issuer || !audience) return null;
  return {
    jwksUrl,
    issuer,
    audience,
    clockSkewSeconds: env.AUTH_CLOCK_SKEW_SECONDS,
    claims: {
      email: env.AUTH_EMAIL_CLAIM,
      name: env.AUTH_NAME_CLAIM,
      organizations: env.AUTH_ORGANIZATIONS_CLAIM ?? null,
      role: env.AUTH_ROLE_CLAIM,
      roles: env.AUTH_ROLES ?? new Map(),
    },
  };
}

/** Where people reach the API, for links that another process than the API writes; '' when only the API knows. */
export function linkBase({ publicUrl, host, port }: Config): string {
  return publicUrl ?? (port === 0 ? '' : `http://${host}:${port}`);
}

const SECRET_VARIABLES = /SECRET|TOKEN|PASSWORD|_KEYS$|_URL$/;

function describe(
  issues: readonly z.core.$ZodIssue[],
  given: Readonly<Record<string, string | undefined>>,
): string {
  const lines = issues.map((issue) => {
    const name = String(issue.path[0]);
    const got = SECRET_VARIABLES.test(name) ? 'another value' : JSON.stringify(given[name]);
    return `- ${name}: ${issue.message}, got ${got}`;
  });
  return ['The configuration is not usable:', ...lines].join('\n');
}

/** Connections to PostgreSQL that BullMQ opens for each queue when it stands on PostgreSQL: producer; consumer's two and its LISTEN. */
const BULLMQ_CONNECTIONS = { producer: 1, consumer: 3 };
/** LISTEN and NOTIFY of the event bus on PostgreSQL */
const BUS_CONNECTIONS = 2;
/** Connections of a worker's pool that attempts do not get: upkeep and progress. */
const UPKEEP_CONNECTIONS = 4;

/** The size of a worker's pool: every attempt may hold a transaction at once. */
export function workerPoolSize(config: Config): number {
  const slots = Object.values(config.concurrency).reduce((sum, slot) => sum + slot, 0);
  return config.databaseConnections + slots;
}

/** Attempts that a worker may run at once, however much its queues' concurrency is raised while it runs. */
export function attemptRoom(config: Config): number {
  return workerPoolSize(config) - UPKEEP_CONNECTIONS;
}

/** Most connections to PostgreSQL that one process of each kind opens. */
export function connectionBudget(config: Config): { readonly api: number; readonly worker: number } {
  const onPostgres = config.broker.type === 'postgres' ? 1 : 0;
  const queues = Object.keys(config.concurrency).length;
  const shared = onPostgres * (BUS_CONNECTIONS + queues * BULLMQ_CONNECTIONS.producer);
  return {
    api: config.databaseConnections + shared,
    // The beat has a connection of its own.
    worker: workerPoolSize(config) + shared + onPostgres * queues * BULLMQ_CONNECTIONS.consumer + 1,
  };
}
