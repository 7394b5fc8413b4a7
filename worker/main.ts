import { ConfigError, readConfig } from '../src/config.ts';
import { jobCatalogue } from '../src/jobs/index.ts';
import { createLog } from '../src/lib/log.ts';
import { createWorkerApp } from './app.ts';
import { openHealthServer } from './health.ts';
import { jobHandlers } from './jobs/index.ts';

/** A worker process: runs attempts and upkeep until SIGTERM or SIGINT. */
async function main(): Promise<void> {
  const config = readConfig();
  const { database } = config;
  if (database.type === 'embedded') {
    throw new ConfigError(
      'A worker needs DATABASE_URL. `npm run dev` starts an embedded PostgreSQL and a worker with it.',
    );
  }
  const log = createLog({ level: config.logLevel, process: 'worker', format: config.logFormat });
  const app = await createWorkerApp({
    config,
    databaseUrl: database.url,
    directDatabaseUrl: database.directUrl,
    catalogue: jobCatalogue,
    handlers: jobHandlers,
    log,
  });
  const health = await openHealthServer({
    host: config.host,
    port: config.healthPort,
    log,
    checkReady: app.checkReady,
  });
  log.info({ worker: app.id, health: health.url }, 'the worker is ready');
  process.send?.({ type: 'ready', url: health.url });

  let stopping = false;
  const stop = (signal: string): void => {
    if (stopping) return;
    stopping = true;
    log.info({ signal }, 'the worker stops');
    void health
      .close()
      .then(() => app.close())
      .then(() => process.exit(0))
      .catch((err: unknown) => {
        log.error({ err }, 'the worker did not stop cleanly');
        process.exit(1);
      });
  };
  process.on('SIGTERM', stop);
  process.on('SIGINT', stop);
  // Started by another process of ours: without it there is nothing to work for.
  process.on('disconnect', () => stop('disconnect'));
}

main().catch((error: unknown) => {
  process.stderr.write(
    `${error instanceof ConfigError ? error.message : String(error instanceof Error ? error.stack : error)}\n`,
  );
  process.exit(1);
});
