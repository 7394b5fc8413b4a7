import { readConfig } from '../../src/config.ts';
import { jobCatalogue } from '../../src/jobs/index.ts';
import { runEntry } from '../../src/lib/entry.ts';
import { createLog } from '../../src/lib/log.ts';
import { createWorkerApp } from '../../worker/app.ts';
import { BEAT_TIMES } from '../../worker/beat.ts';
import { openHealthServer } from '../../worker/health.ts';
import { jobHandlers } from '../../worker/jobs/index.ts';
import { FAST_TIMES } from '../support/beat-times.ts';
import { runScript } from './scripts.ts';

/** A worker process as worker/main.ts starts it, but for the script in the product import's place. */
const [speed = 'real'] = process.argv.slice(2);

await runEntry(async () => {
  const config = readConfig();
  if (config.database.type !== 'url') throw new Error('a worker process needs DATABASE_URL');
  const log = createLog({ level: config.logLevel, process: 'worker' });
  const app = await createWorkerApp({
    config,
    databaseUrl: config.database.url,
    directDatabaseUrl: config.database.directUrl,
    catalogue: jobCatalogue,
    handlers: { ...jobHandlers, product_import: runScript },
    log,
    times: speed === 'fast' ? FAST_TIMES : BEAT_TIMES,
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
      await app.close(hurry);
      await health.close();
    },
  };
});
