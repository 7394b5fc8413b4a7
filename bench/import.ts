import { chmod, mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createLog } from '../src/lib/log.ts';
import { startEmbeddedPostgres } from '../src/repositories/embedded.ts';
import { migrate } from '../src/repositories/migrate.ts';
import { runBaseline } from './import-baseline.ts';
import { importInWorker } from './import-worker.ts';
import { makeProducts } from './make-products.ts';

const log = createLog({ level: 'warn', process: 'bench' });

const GOAL = { ratioMin: 0.6, peakMegabytesMax: 300 };

/**
 * How fast is the product import, measured against PostgreSQL doing the same alone (COPY into a staging table, one
 * INSERT … ON CONFLICT per table), and how much memory does the worker take at most? Each starts with a database of its
 * own, with the durable settings of `npm run dev`; the import is a job in a worker process as that command starts it.
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
    const times = args.includes('again') ? 2 : 1;
    const [first, ...again] = await inFreshDatabase(folder, 'import', (url) =>
      importInWorker(url, join(folder, 'data'), file, times, log),
    );
    if (!first) return;
    tell('import', rows, first.seconds);
    for (const { seconds, result } of again) {
      tell(`import again (${result['unchanged'] ?? 0} unchanged)`, rows, seconds);
    }
    console.log(`ratio: ${(pure / first.seconds).toFixed(2)} (goal: at least ${GOAL.ratioMin})`);
    const peak = Math.max(...[first, ...again].map(({ peakMegabytes }) => peakMegabytes));
    console.log(
      `peak resident memory of the worker: ${peak.toFixed(0)} MB (goal: under ${GOAL.peakMegabytesMax} MB)`,
    );
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
    await migrate({ url: postgres.url, bullmq: true, log });
    return await fn(postgres.url);
  } finally {
    await postgres.stop();
    await rm(dataDir, { recursive: true, force: true });
  }
}
