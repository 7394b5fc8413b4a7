import { createReadStream } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { setTimeout as delay } from 'node:timers/promises';
import { z } from 'zod';
import { currentEnvironment, readConfig, type Config } from '../src/config.ts';
import { newUuid } from '../src/domain/ids.ts';
import { storageKey } from '../src/domain/storage-key.ts';
import { SupervisedChild } from '../src/dev/child.ts';
import { WORKER_PROCESS } from '../src/dev/stack.ts';
import { openBus } from '../src/events/index.ts';
import { jobCatalogue } from '../src/jobs/index.ts';
import type { Log } from '../src/lib/log.ts';
import { brokerOf } from '../src/queue/broker.ts';
import { createJobDeps, type JobDeps } from '../src/queue/deps.ts';
import { openQueue } from '../src/queue/index.ts';
import { startJob } from '../src/queue/start.ts';
import { openDatabase, type Database } from '../src/repositories/db.ts';
import { createUpload, markUploadReceived } from '../src/repositories/uploads.ts';
import { openStorage } from '../src/storage/index.ts';
import { createOrganization } from '../test/support/organization.ts';

export interface ImportFigures {
  /** From the attempt's start to the job's end, by the job's own row */
  readonly seconds: number;
  /** Peak resident memory of the worker process, in 10^6 bytes */
  readonly peakMegabytes: number;
  readonly status: string;
  readonly result: Readonly<Record<string, number>>;
}

/** What the API's part of an import needs, without an API: the time it takes is not the import's. */
interface Bench {
  readonly jobs: JobDeps;
  readonly config: Config;
  readonly environment: Readonly<Record<string, string>>;
  close(): Promise<void>;
}

/** Imports a file `times` times in a row, each in a worker process of its own, as `npm run dev` runs it. */
export async function importInWorker(
  url: string,
  dataDir: string,
  file: string,
  times: number,
  log: Log,
): Promise<ImportFigures[]> {
  const bench = await openBench(url, dataDir, log);
  try {
    const organization = await createOrganization(bench.jobs.db);
    const uploadId = await uploadFile(bench, organization.id, file);
    const figures: ImportFigures[] = [];
    // One after the other, or they would measure each other.
    for (let time = 0; time < times; time += 1)
      figures.push(await importOnce(bench, organization.id, uploadId));
    return figures;
  } finally {
    await bench.close();
  }
}

async function openBench(url: string, dataDir: string, log: Log): Promise<Bench> {
  const environment = {
    DATABASE_URL: url,
    MILLRACE_DATA_DIR: dataDir,
    HEALTH_PORT: '0',
    LOG_LEVEL: 'warn',
    REDIS_URL: '',
  };
  const config = readConfig(environment);
  const db = openDatabase({
    url,
    applicationName: 'bench',
    connectionsMax: 2,
    statementTimeoutMs: 60_000,
    log,
  });
  const bus = await openBus({ broker: config.broker, directDatabaseUrl: url, applicationName: 'bench', log });
  const queue = openQueue(brokerOf(config.broker, url, 'bench'), log);
  return {
    jobs: createJobDeps({ db, bus, queue, catalogue: jobCatalogue, log }),
    config,
    environment,
    async close() {
      await queue.close();
      await bus.close();
      await db.close();
    },
  };
}

async function uploadFile(
  { jobs: { db }, config }: Bench,
  organizationId: string,
  file: string,
): Promise<string> {
  const id = newUuid();
  const key = storageKey(organizationId, 'uploads', newUuid());
  const signal = AbortSignal.timeout(600_000);
  const stored = await openStorage(config).put(key, createReadStream(file), { maxBytes: 2 ** 40, signal });
  const expiresAt = new Date(Date.now() + 3_600_000);
  const described = { filename: 'products.csv', contentType: 'text/csv', declaredBytes: null };
  await createUpload(db, { id, organizationId, storageKey: key, expiresAt, ...described });
  await markUploadReceived(db, organizationId, id, { ...stored, storageKey: key });
  return id;
}

async function importOnce(
  { jobs, environment }: Bench,
  organizationId: string,
  uploadId: string,
): Promise<ImportFigures> {
  const env = { ...currentEnvironment(), ...environment };
  const worker = await SupervisedChild.start({ ...WORKER_PROCESS, env, log: jobs.log });
  try {
    const input = { source: { uploadId } };
    const { jobId } = await startJob(jobs, {
      organizationId,
      kind: 'product_import',
      input,
      triggeredBy: 'manual:bench',
    });
    return { ...(await settled(jobs.db, jobId)), peakMegabytes: await peakMegabytes(worker.pid) };
  } finally {
    await worker.stop();
  }
}

const jobRow = z.object({
  status: z.string(),
  seconds: z.number(),
  result: z.record(z.string(), z.number()),
});
const POLL_MS = 200;

async function settled(db: Database, jobId: string): Promise<z.infer<typeof jobRow>> {
  for (;;) {
    const { rows } = await db.query(
      `SELECT status, result, extract(epoch FROM completed_at - started_at)::float8 AS seconds FROM jobs WHERE id = $1`,
      [jobId],
    );
    const parsed = jobRow.safeParse(rows[0]);
    if (parsed.success) return parsed.data;
    if (rows[0]?.['status'] === 'failed') throw new Error(`the import failed: ${JSON.stringify(rows[0])}`);
    await delay(POLL_MS);
  }
}

/** The kernel's high-water mark (proc(5), VmHWM); Linux only. */
async function peakMegabytes(pid: number): Promise<number> {
  const status = await readFile(`/proc/${pid}/status`, 'utf8');
  const kilobytes = /^VmHWM:\s+(\d+) kB$/m.exec(status)?.[1];
  return (Number(kilobytes) * 1_024) / 1e6;
}
