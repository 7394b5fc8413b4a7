import { createApp } from './app.ts';
import { ConfigError, readConfig } from './config.ts';
import { jobCatalogue } from './jobs/index.ts';
import { createLog } from './lib/log.ts';

/** An API process: serves until SIGTERM or SIGINT. */
async function main(): Promise<void> {
  const config = readConfig();
  const { database } = config;
  if (database.type === 'embedded') {
    throw new ConfigError('The API needs DATABASE_URL. `npm run dev` starts an embedded PostgreSQL and an API with it.');
  }
  const log = createLog({ level: config.logLevel, process: 'api', format: config.logFormat });
  const app = await createApp(config, {
    databaseUrl: database.url,
    directDatabaseUrl: database.directUrl,
    catalogue: jobCatalogue,
    log,
  });
  const { url } = await app.listen();
  log.info({ url }, 'the API is ready');
  process.send?.({ type: 'ready', url });

  let stopping = false;
  const stop = (signal: string): void => {
    if (stopping) return;
    stopping = true;
    log.info({ signal }, 'the API stops');
    app.close().then(
      () => process.exit(0),
      (err: unknown) => {
        log.error({ err }, 'the API did not stop cleanly');
        process.exit(1);
      },
    );
  };
  process.on('SIGTERM', stop);
  process.on('SIGINT', stop);
  // Started by another process of ours: without it there is nobody to serve.
  process.on('disconnect', () => stop('disconnect'));
}

main().catch((error: unknown) => {
  process.stderr.write(`${error instanceof ConfigError ? error.message : String(error instanceof Error ? error.stack : error)}\n`);
  process.exit(1);
});
