import type { ServerResponse } from 'node:http';
import { Accounts } from './auth/accounts.ts';
import { ApiKeyVerifier } from './auth/api-key-verifier.ts';
import { AuditTrail } from './auth/audit-trail.ts';
import { createAuthenticator } from './auth/authenticate.ts';
import { IdentityProvider } from './auth/identity-provider.ts';
import { openRateLimiter } from './auth/rate-limiter.ts';
import { Sessions } from './auth/sessions.ts';
import type { Config } from './config.ts';
import { connectorsFor, type Connectors } from './connectors/index.ts';
import { QUEUE_NAMES } from './domain/job.ts';
import { newUuid } from './domain/ids.ts';
import type { EventBus } from './events/bus.ts';
import { openBus } from './events/index.ts';
import { createJobStreams } from './events/job-streams.ts';
import type { ApiServices } from './graphql/context.ts';
import { createGraphQLHandler } from './graphql/http.ts';
import { openPersistedOperations } from './graphql/operation-list.ts';
import { createWebSocketTransport } from './graphql/websocket.ts';
import { createGraphQL } from './graphql/yoga.ts';
import { createActivityExport } from './http/activity-export.ts';
import { createBrowserPolicy } from './http/browser-policy.ts';
import { createFileHandler } from './http/files.ts';
import { createHealthHandler } from './http/health.ts';
import { createMetricsHandler } from './http/metrics.ts';
import { JOB_PAGE_OPERATIONS } from './http/page-operations.ts';
import { createOAuthHandler, OAUTH_CALLBACK } from './http/oauth.ts';
import { createPageHandler } from './http/page.ts';
import { createProviderWebhookHandler } from './http/provider-webhooks.ts';
import { closeServer, createHttpServer, listen } from './http/server.ts';
import { createUploadHandler } from './http/uploads.ts';
import type { JobCatalogue } from './jobs/define.ts';
import { systemCatalogue } from './jobs/index.ts';
import { raceAbort, withTimeout } from './lib/abort.ts';
import { systemClock, type Clock } from './lib/clock.ts';
import type { Log } from './lib/log.ts';
import { startLoop } from './lib/loop.ts';
import { createPanels, type PanelRegistry } from './panels/index.ts';
import { brokerOf } from './queue/broker.ts';
import { endOrphanedCancels } from './queue/cancel.ts';
import { createJobDeps } from './queue/deps.ts';
import { openQueue } from './queue/index.ts';
import { openDatabase, type Database } from './repositories/db.ts';
import { openPrisma } from './repositories/prisma.ts';
import { createJobLogReader } from './repositories/job-log.ts';
import { ensureQueues } from './repositories/queues.ts';
import { SDK_OPERATIONS } from './sdk/persisted.ts';
import { loadMasterSecret, openCipher, openSigner } from './secrets/index.ts';
import { openStorage } from './storage/index.ts';
import { createApiMetrics } from './telemetry/api-metrics.ts';
import { LoopLag } from './telemetry/loop-lag.ts';

export interface AppOptions {
  /** Postgres as this process reaches it, and without a pooler between */
  readonly databaseUrl: string;
  readonly directDatabaseUrl: string;
  /** Kinds beside the system's own */
  readonly catalogue: JobCatalogue;
  readonly log: Log;
  readonly clock?: Clock;
  /** Take the place of the panels of the same name, in tests */
  readonly panels?: Partial<PanelRegistry>;
  /** Providers beside those of the configuration, in tests */
  readonly connectors?: Connectors;
}

export interface App {
  /** @returns where the server is bound: `http://127.0.0.1:4000` */
  listen(): Promise<{ url: string }>;
  /** Live streams of jobs that somebody reads now */
  readonly openStreams: number;
  /** Finishes or cuts what is under way and closes what was opened, in reverse; safe to call twice. */
  close(): Promise<void>;
}

/** Between two looks for cancelled jobs that no worker ends */
const ORPHANED_CANCELS_MS = 5_000;
/** No statement of the API takes longer. */
const STATEMENT_TIMEOUT_MS = 15_000;
/** When the process goes away: for readers of streams to take what is due, and for requests under way to end, in ms. */
const DRAIN_MS = 2_000;
const GRACE_MS = 3_000;
/** A database that takes longer is one that does not answer. */
const DATABASE_ANSWER_MS = 2_000;

/** Composition root of an API process: opens everything in order and closes it in reverse. */
export async function createApp(config: Config, options: AppOptions): Promise<App> {
  const { log, clock = systemClock } = options;
  const applicationName = `millrace-api-${newUuid()}`;
  const db = openDatabase({
    url: options.databaseUrl,
    applicationName,
    connectionsMax: config.databaseConnections,
    statementTimeoutMs: STATEMENT_TIMEOUT_MS,
    // Two addresses: the first is a pooler's.
    prepares: options.databaseUrl === options.directDatabaseUrl,
    log,
  });
  await ensureQueues(db, QUEUE_NAMES);
  const bus = await openBus({
    broker: config.broker,
    directDatabaseUrl: options.directDatabaseUrl,
    applicationName,
    log,
  });
  const queue = openQueue(brokerOf(config.broker, options.directDatabaseUrl, applicationName), log);
  const streams = createJobStreams({ bus, log: createJobLogReader(db), logger: log, clock });
  const storage = openStorage(config);
  const secret = await loadMasterSecret(config);
  const signer = openSigner(secret);
  const cipher = openCipher(secret, config.encryptionKeys);
  const catalogue = { ...options.catalogue, ...systemCatalogue };
  const lag = new LoopLag();
  const openStreams = (): number => streams.open;
  const audit = new AuditTrail({ db, log });
  const auditsLost = (): number => audit.lost;
  const { metrics, onStarted } = createApiMetrics({ db, bus, catalogue, lag, log, openStreams, auditsLost });
  let boundUrl = '';
  const publicUrl = (): string => config.publicUrl ?? boundUrl;
  const connections = {
    db,
    cipher,
    connectors: { ...connectorsFor(config), ...options.connectors },
    baseUrls: config.providerBaseUrls,
    clock,
    log,
  };
  const prisma = openPrisma(db);
  const services: ApiServices = {
    db,
    prisma,
    accounts: new Accounts(db),
    audit,
    jobs: createJobDeps({ db, queue, bus, catalogue, log, onStarted }),
    streams,
    panels: createPanels({ db, clock, log, ...(options.panels ? { panels: options.panels } : {}) }),
    storage,
    signer,
    webhooks: { db, cipher, outbound: config.outbound, catalogue },
    connections,
    oauth: {
      ...connections,
      apps: config.oauthApps,
      redirectUri: () => `${publicUrl()}${OAUTH_CALLBACK}`,
    },
    clock,
    log,
    limits: config.limits,
    uploadBytesMax: config.uploadBytesMax,
    publicUrl,
  };

  const authenticate = createAuthenticator({
    apiKeys: new ApiKeyVerifier({ sql: db, clock, log }),
    identityProvider:
      config.identityProvider && new IdentityProvider({ config: config.identityProvider, sql: db, clock }),
  });
  const sessions = new Sessions({ authenticate, clock, log });
  const rateLimiter = openRateLimiter({
    pointsPerSecond: config.limits.pointsPerSecond,
    redis: config.broker.type === 'redis' ? config.broker : null,
    applicationName,
    log,
  });
  const { introspection, devToken, limits, corsOrigins } = config;
  const ours = [...SDK_OPERATIONS, ...Object.values(JOB_PAGE_OPERATIONS)];
  const persisted = await openPersistedOperations(config.persistedOperations, ours);
  const graphql = createGraphQL({ services, rateLimiter, persisted, introspection, devToken });
  const eventStreams = new Set<ServerResponse>();
  const fileRoutes = { db, storage, signer, limits: { uploadBytesMax: config.uploadBytesMax }, log, clock };
  let isDraining = false;
  const server = createHttpServer({
    routes: [
      createGraphQLHandler({ graphql, authenticate, sessions, streams: eventStreams, limits, log }),
      createUploadHandler(fileRoutes),
      createFileHandler(fileRoutes),
      createActivityExport({ db, authenticate, audit, rateLimiter, limits, log }),
      createHealthHandler({
        notReady: async (signal) => [
          ...(isDraining ? ['the server is shutting down'] : []),
          ...(await reasonsNotReady(db, bus, signal)),
        ],
      }),
      createMetricsHandler({ token: config.metricsToken, expose: () => metrics.expose() }),
      createOAuthHandler(services.oauth),
      createProviderWebhookHandler(services.connections),
      createPageHandler({ devToken }),
    ],
    browserPolicy: createBrowserPolicy({
      corsOrigins,
      isHttps: config.publicUrl?.startsWith('https:') ?? false,
    }),
    log,
  });
  const sockets = createWebSocketTransport({
    graphql,
    persisted,
    sessions,
    limits,
    corsOrigins,
    log,
    publicUrl: services.publicUrl,
  });
  const orphanedCancels = startLoop({
    name: 'orphaned cancels',
    everyMs: ORPHANED_CANCELS_MS,
    log,
    run: () => endOrphanedCancels(services.jobs),
  });
  server.on('upgrade', (req, socket, head) => sockets.upgrade(req, socket, head));

  async function close(): Promise<void> {
    isDraining = true;
    const drained = streams.drain(DRAIN_MS);
    const served = closeServer(server, eventStreams, { drained, graceMs: GRACE_MS });
    await drained;
    await sockets.close();
    streams.close();
    await orphanedCancels.stop();
    await sessions.stop();
    lag.stop();
    await served;
    await graphql.dispose();
    rateLimiter.close();
    await queue.close();
    await bus.close();
    await prisma.$disconnect();
    await db.close();
  }

  let closing: Promise<void> | undefined;
  return {
    async listen() {
      boundUrl = await listen(server, config);
      return { url: boundUrl };
    },
    get openStreams() {
      return streams.open;
    },
    close: () => (closing ??= close()),
  };
}

/** What makes this process useless just now; nothing: it is ready. */
async function reasonsNotReady(db: Database, bus: EventBus, signal: AbortSignal): Promise<string[]> {
  const answered = await raceAbort(db.query('SELECT 1'), withTimeout(DATABASE_ANSWER_MS, signal)).then(
    () => true,
    () => false,
  );
  return [
    ...(answered ? [] : ['PostgreSQL does not answer']),
    ...(bus.connected ? [] : ['the event bus is not connected']),
  ];
}
