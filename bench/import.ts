import { fork } from 'node:child_process';
import { once } from 'node:events';
import { chmod, mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { z } from 'zod';
import { createLog } from '../src/lib/log.ts';
import { startEmbeddedPostgres } from '../src/repositories/embedded.ts';
import { migrate } from '../src/repositories/migrate.ts';
import { runBaseline } from './import-baseline.ts';
import { makeProducts } from './make-products.ts';

const log = createLog({ level: 'warn', process: 'bench' });

const GOAL = { ratioMin: 0.6, peakMegabytesMax: 300 };

/** What the worker-like child process tells about one import. */
export const importReport = z.object({
  seconds: z.number(),
  peakMegabytes: z.number(),
  processorSeconds: z.number(),
  output: z.record(z.string(), z.number()),
});

/**
 * How fast is the product import, measured against PostgreSQL doing the same alone (COPY into a staging table, one
 * INSERT … ON CONFLICT per table), and how much memory does its process take at most? Each starts with a database of
 * its own, with the durable settings of `npm run dev`.
 * @param args rows (default 1,000,000), then `again` to import the same file a second time
 */
export async function run(args: readonly string[]): Promise<void> {
  const rows = Number(args.find((arg) => /^\d+$/.test(arg)) ?? 1_000_000);
  const folder = await mkdtemp(join(tmpdir(), 'millrace-bench-'));
  await chmod(folder, 0o755);
  try {
    const file = join(folder, 'products.csv');
    const bytes = await makeProducts(file, rows);
    await chmod(file, 0o644);
    console.log(`${rows.toLocaleString('en')} rows, ${(bytes / 1e6).toFixed(0)} MB, ${process.version}`);
    const pure = await inFreshDatabase(folder, 'pure', (url) => runBaseline(url, file));
    tell('pure SQL', rows, pure);
    const [first, ...again] = await inFreshDatabase(folder, 'import', async (url) => {
      const reports = [await importInChild(url, file)];
      if (args.includes('again')) reports.push(await importInChild(url, file));
      return reports;
    });
    if (!first) return;
    tell('import', rows, first.seconds);
    for (const { seconds, output } of again)
      tell(`import again (${output['unchanged'] ?? 0} unchanged)`, rows, seconds);
    const ratio = pure / first.seconds;
    console.log(`ratio: ${ratio.toFixed(2)} (goal: at least ${GOAL.ratioMin})`);
    console.log(
      `peak resident memory: ${first.peakMegabytes.toFixed(0)} MB (goal: under ${GOAL.peakMegabytesMax} MB)`,
    );
    console.log(`processor time of the import's process: ${first.processorSeconds.toFixed(1)} s`);
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

function tell(name: string, rows: number, seconds: number): void {
  console.log(`${name}: ${seconds.toFixed(1)} s, ${Math.round(rows / seconds).toLocaleString('en')} rows/s`);
}

async function inFreshDatabase<T>(folder: string, name: string, fn: (url: string) => Promise<T>): Promise<T> {
  const dataDir = join(folder, name);
  const postgres = await startEmbeddedPostgres({ dataDir, durable: true, log });
  try {
    await migrate({ url: postgres.url, bullmq: false, log });
    return await fn(postgres.url);
  } finally {
    await postgres.stop();
    await rm(dataDir, { recursive: true, force: true });
  }
}

async function importInChild(url: string, file: string): Promise<z.infer<typeof importReport>> {
  const child = fork(new URL('./import-child.ts', import.meta.url), [url, file], {
    execArgv: ['--import', 'tsx'],
  });
  const ended = once(child, 'exit');
  const [message] = await Promise.race([once(child, 'message'), ended.then(() => [null])]);
  await ended;
  return importReport.parse(message);
}
