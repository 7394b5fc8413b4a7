import { setTimeout as delay } from 'node:timers/promises';
import { z } from 'zod';
import { readConfig } from '../../src/config.ts';
import { createLog } from '../../src/lib/log.ts';
import { createWorkerApp } from '../../worker/app.ts';
import { BEAT_TIMES } from '../../worker/beat.ts';
import type { JobContext } from '../../worker/context.ts';
import { FAST_TIMES } from './beat-times.ts';
import { testCatalogue, testHandlers } from './kinds.ts';

/** A worker with the test kinds in a process of its own, to be killed: started by spawnWorker. */
const [speed = 'fast'] = process.argv.slice(2);

const ROWS = 60;
const cursor = z.object({ row: z.int() });

/** Writes 60 rows, one per transaction, 50 ms apart, and resumes after the last one that was committed. */
async function rows(ctx: JobContext): Promise<string> {
  const from = (await ctx.resume(cursor))?.row ?? 0;
  for (let row = from + 1; row <= ROWS; row += 1) {
    await ctx.transaction(async (tx) => {
      await tx.query('INSERT INTO effects (job_id, row) VALUES ($1, $2)', [ctx.jobId, row]);
      tx.count({ processed: 1, succeeded: 1 });
      tx.checkpoint({ row });
    });
    await delay(50, undefined, { signal: ctx.signal });
  }
  return `resumed after ${from}`;
}

/** What a worker of its own does to the process that runs it. */
function poison(): Promise<string> {
  process.kill(process.pid, 'SIGKILL');
  return new Promise(() => undefined);
}

const config = readConfig();
if (config.database.type !== 'url') throw new Error('a worker process needs DATABASE_URL');
const app = await createWorkerApp({
  config,
  databaseUrl: config.database.url,
  directDatabaseUrl: config.database.directUrl,
  catalogue: testCatalogue,
  handlers: testHandlers({ rows, poison }),
  log: createLog({ level: config.logLevel, process: 'worker' }),
  times: speed === 'real' ? BEAT_TIMES : FAST_TIMES,
});
process.send?.({ type: 'ready', url: app.id });
process.on('SIGTERM', () => void app.close().then(() => process.exit(0)));
process.on('disconnect', () => process.exit(0));
