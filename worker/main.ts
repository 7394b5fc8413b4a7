import { ConfigError, readConfig } from '../src/config.ts';
import { jobCatalogue } from '../src/jobs/index.ts';
import { runEntry } from '../src/lib/entry.ts';
import { createLog } from '../src/lib/log.ts';
import { createWorkerApp } from './app.ts';
import { openHealthServer } from './health.ts';
import { jobHandlers } from './jobs/index.ts';

/** A worker process: runs attempts and upkeep, and answers for its health. */
await runEntry(async () => {
  const config = readConfig();
  const { database, logLevel: level, logFormat: format } = config;
  if (database.type === 'embedded') {
    throw new ConfigError(
      'A worker needs DATABASE_URL. `npm run dev` starts an embedded PostgreSQL and a worker with it.',
    );
  }
  const log = createLog({ level, process: 'worker', format });
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
    notReady: app.notReady,
    metrics: app.metrics,
  });
  return {
    log,
    url: health.url,
    async close(hurry) {
      // The health server last: until then /readyz says that the worker is going away.
      await app.close(hurry);
      await health.close();
    },
  };
});
