import { fork } from 'node:child_process';
import { once } from 'node:events';
import { performance } from 'node:perf_hooks';
import { setTimeout as delay } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { z } from 'zod';
import { connectAccount } from '../src/connections/connect.ts';
import { connectorsOf } from '../src/connectors/index.ts';
import { connectorSync } from '../src/jobs/connector-sync.ts';
import { catalogueOf } from '../src/jobs/define.ts';
import { systemClock } from '../src/lib/clock.ts';
import { createLog } from '../src/lib/log.ts';
import { startJob } from '../src/queue/start.ts';
import type { Database } from '../src/repositories/db.ts';
import { loadMasterSecret, openCipher } from '../src/secrets/index.ts';
import { createOrganization } from '../test/support/organization.ts';
import { createWorkerApp } from '../worker/app.ts';
import { syncConnection } from '../worker/jobs/connector-sync.ts';
import { openBenchJobs, withServers, type BenchJobs, type BenchServers } from './stack.ts';
import { benchConnector, fetchPage, openClient, type BenchConfig } from './sync/connector.ts';

const log = createLog({ level: 'warn', process: 'bench' });

/** A provider that answers at once, and one that takes its time. */
const ROUNDS = [
  { delayMs: 0, ratioMin: 0.2 },
  { delayMs: 50, ratioMin: 0.85 },
];

/**
 * How fast does a sync write what a provider sends? Orders over HTTP from another process, by a `connector_sync` job of a
 * worker: records, facts, daily rollups, cursor and progress; against the same client fetching the same pages and dropping
 * them. With `again`, the same once more, when nothing has changed.
 * @param args records (default 200,000), records on a page (default 500), `again`
 */
export async function run(args: readonly string[]): Promise<void> {
  const [records = 200_000, pageSize = 500] = args.filter((arg) => /^\d+$/.test(arg)).map(Number);
  console.log(`${records.toLocaleString('en')} orders on pages of ${pageSize}, ${process.version}`);
  const url = await startProvider(records);
  await withServers(log, async (servers) => {
    for (const { delayMs, ratioMin } of ROUNDS) {
      const config = { url, pageSize, delayMs };
      const dropped = await fetchAndDrop(config);
      const [synced = 0, ...again] = await syncs(servers, config, args.includes('again') ? 2 : 1);
      const took = (seconds: number): string =>
        `${seconds.toFixed(1)} s, ${Math.round(records / seconds).toLocaleString('en')} rows/s`;
      console.log(`${delayMs} ms a page: fetched and dropped in ${took(dropped)}; synced in ${took(synced)}`);
      console.log(`ratio: ${(dropped / synced).toFixed(2)} (goal: at least ${ratioMin})`);
      for (const seconds of again) console.log(`again, nothing has changed: ${took(seconds)}`);
    }
  });
}

const ready = z.object({ url: z.string() });

/** It ends with this process. */
async function startProvider(records: number): Promise<string> {
  const module = fileURLToPath(new URL('./sync/provider.ts', import.meta.url));
  const child = fork(module, [String(records)], { execArgv: ['--import', 'tsx'] });
  const [message] = z.tuple([ready], z.unknown()).parse(await once(child, 'message'));
  child.unref();
  return message.url;
}

async function fetchAndDrop(config: BenchConfig): Promise<number> {
  const client = openClient(config);
  const { signal } = new AbortController();
  const begin = performance.now();
  for (let after = 0, total = 1; after < total;) {
    const page = await fetchPage(client, config, after, signal);
    after += page.orders.length;
    total = page.total;
  }
  return (performance.now() - begin) / 1_000;
}

/** Syncs a new connection so many times. @returns how long each took, from the attempt's start to the job's end */
async function syncs(
  { databaseUrl, redisUrl, folder }: BenchServers,
  config: BenchConfig,
  times: number,
): Promise<number[]> {
  const environment = { DATABASE_URL: databaseUrl, REDIS_URL: redisUrl, MILLRACE_DATA_DIR: folder };
  const catalogue = catalogueOf(connectorSync);
  const bench = await openBenchJobs(environment, catalogue, log);
  const connectors = connectorsOf(benchConnector);
  const target = await connect(bench, connectors, config);
  const worker = await createWorkerApp({
    config: bench.config,
    databaseUrl,
    directDatabaseUrl: databaseUrl,
    catalogue,
    handlers: { connector_sync: syncConnection },
    connectors,
    log,
  });
  const seconds: number[] = [];
  try {
    for (let time = 0; time < times; time += 1) {
      const input = { connectionId: target.connectionId, full: time > 0 };
      const request = { ...target, kind: 'connector_sync', input, triggeredBy: 'manual:bench' };
      const { jobId } = await startJob(bench.jobs, request);
      seconds.push(await settled(bench.jobs.db, jobId));
    }
    return seconds;
  } finally {
    await worker.close();
    await bench.close();
  }
}

async function connect(
  { jobs: { db }, config }: BenchJobs,
  connectors: ReturnType<typeof connectorsOf>,
  account: BenchConfig,
): Promise<{ organizationId: string; connectionId: string }> {
  const { id: organizationId } = await createOrganization(db);
  const cipher = openCipher(await loadMasterSecret(config), config.encryptionKeys);
  const deps = { db, cipher, connectors, baseUrls: {}, clock: systemClock, log };
  const { connectionId } = await connectAccount(deps, {
    organizationId,
    createdBy: 'manual:bench',
    provider: 'bench',
    config: account,
    credentials: {},
  });
  // No other sync than ours is to begin.
  await db.query('UPDATE connections SET next_sync_at = NULL WHERE id = $1', [connectionId]);
  return { organizationId, connectionId };
}

const jobRow = z.object({ status: z.enum(['completed', 'completed_with_warnings']), seconds: z.number() });

async function settled(db: Database, jobId: string): Promise<number> {
  for (;;) {
    const { rows } = await db.query<{ status: string }>(
      `SELECT status, error_message, extract(epoch FROM completed_at - started_at)::float8 AS seconds FROM jobs WHERE id = $1`,
      [jobId],
    );
    const parsed = jobRow.safeParse(rows[0]);
    if (parsed.success) return parsed.data.seconds;
    if (rows[0]?.status === 'failed') throw new Error(`the sync failed: ${JSON.stringify(rows[0])}`);
    await delay(200);
  }
}
