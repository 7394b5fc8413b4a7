import { createApp } from './app.ts';
import { ConfigError, readConfig } from './config.ts';
import { jobCatalogue } from './jobs/index.ts';
import { runEntry } from './lib/entry.ts';
import { createLog } from './lib/log.ts';

/** An API process. */
await runEntry(async () => {
  const config = readConfig();
  const { database, logLevel: level, logFormat: format } = config;
  if (database.type === 'embedded') {
    throw new ConfigError(
      'The API needs DATABASE_URL. `npm run dev` starts an embedded PostgreSQL and an API with it.',
    );
  }
  const log = createLog({ level, process: 'api', format });
  const app = await createApp(config, {
    databaseUrl: database.url,
    directDatabaseUrl: database.directUrl,
    catalogue: jobCatalogue,
    log,
  });
  const { url } = await app.listen();
  return { log, url, close: () => app.close() };
});
