import { setTimeout as delay } from 'node:timers/promises';
import { z } from 'zod';
import { readConfig } from '../../src/config.ts';
import { jobCatalogue } from '../../src/jobs/index.ts';
import { runEntry } from '../../src/lib/entry.ts';
import { createLog } from '../../src/lib/log.ts';
import { createWorkerApp } from '../../worker/app.ts';
import { BEAT_TIMES } from '../../worker/beat.ts';
import type { JobContext } from '../../worker/context.ts';
import { openHealthServer } from '../../worker/health.ts';
import { jobHandlers } from '../../worker/jobs/index.ts';
import { FAST_TIMES } from './beat-times.ts';
import { testCatalogue, testHandlers } from './kinds.ts';

/** A worker with the test kinds, or the real ones, in a process of its own, to be killed: started by spawnWorker. */
const [speed = 'fast', kinds = 'test'] = process.argv.slice(2);

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

/** Writes its mark, 600 ms after it began: short work. */
async function brief(ctx: JobContext): Promise<string> {
  await delay(600, undefined, { signal: ctx.signal });
  return mark(ctx);
}

/** Writes its mark after a moment. */
async function quick(ctx: JobContext): Promise<string> {
  await delay(100, undefined, { signal: ctx.signal });
  return mark(ctx);
}

async function mark(ctx: JobContext): Promise<string> {
  await ctx.transaction(async (tx) => {
    await tx.query('INSERT INTO effects (job_id, row) VALUES ($1, $2)', [ctx.jobId, ctx.attempt]);
  });
  return `by ${process.pid}`;
}

/** Hears nothing, and writes when it is much too late. */
async function stubborn(ctx: JobContext): Promise<string> {
  if (ctx.attempt > 1 || (await ctx.resume(z.object({ begun: z.boolean() })))) return 'second time';
  await ctx.transaction(async (tx) => tx.checkpoint({ begun: true }));
  await delay(60_000);
  return 'never';
}

await runEntry(async () => {
  const config = readConfig();
  if (config.database.type !== 'url') throw new Error('a worker process needs DATABASE_URL');
  const log = createLog({ level: config.logLevel, process: 'worker' });
  const common = {
    config,
    databaseUrl: config.database.url,
    directDatabaseUrl: config.database.directUrl,
    log,
    times: speed === 'real' ? BEAT_TIMES : FAST_TIMES,
    canaryMs: null,
  };
  const app =
    kinds === 'real'
      ? await createWorkerApp({ ...common, catalogue: jobCatalogue, handlers: jobHandlers })
      : await createWorkerApp({
          ...common,
          catalogue: testCatalogue,
          handlers: testHandlers({ rows, poison, brief, quick, stubborn }),
        });
  const { host, healthPort: port } = config;
  const health = await openHealthServer({ host, port, log, notReady: app.notReady, metrics: app.metrics });
  return {
    log,
    url: health.url,
    async close(hurry) {
      await app.close(hurry);
      await health.close();
    },
  };
});
