import { createReadStream } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { setTimeout as delay } from 'node:timers/promises';
import { z } from 'zod';
import { currentEnvironment, readConfig } from '../src/config.ts';
import { newUuid } from '../src/domain/ids.ts';
import { storageKey } from '../src/domain/storage-key.ts';
import { SupervisedChild } from '../src/dev/child.ts';
import { WORKER_PROCESS } from '../src/dev/stack.ts';
import { openBus } from '../src/events/index.ts';
import { jobCatalogue } from '../src/jobs/index.ts';
import type { Log } from '../src/lib/log.ts';
import { brokerOf } from '../src/queue/broker.ts';
import type { JobDeps } from '../src/queue/deps.ts';
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

/** Imports a file `times` times in a row, each in a worker process of its own, as `npm run dev` runs it. */
export async function importInWorker(
  url: string,
  dataDir: string,
  file: string,
  times: number,
  log: Log,
): Promise<ImportFigures[]> {
  const environment = { DATABASE_URL: url, MILLRACE_DATA_DIR: dataDir, HEALTH_PORT: '0', LOG_LEVEL: 'warn' };
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
  const organization = await createOrganization(db);
  const uploadId = newUuid();
  const key = storageKey(organization.id, 'uploads', newUuid());
  const expiresAt = new Date(Date.now() + 3_600_000);
  await createUpload(db, {
    id: uploadId,
    organizationId: organization.id,
    filename: 'products.csv',
    contentType: 'text/csv',
    declaredBytes: null,
    storageKey: key,
    expiresAt,
  });
  const stored = await openStorage(config).put(key, createReadStream(file), {
    maxBytes: 2 ** 40,
    signal: AbortSignal.timeout(600_000),
  });
  await markUploadReceived(db, organization.id, uploadId, { ...stored, storageKey: key });
  const figures: ImportFigures[] = [];
  for (let time = 0; time < times; time += 1) {
    const worker = await SupervisedChild.start({
      ...WORKER_PROCESS,
      env: { ...currentEnvironment(), ...environment },
      log,
    });
    const jobs: JobDeps = { db, bus, queue, catalogue: jobCatalogue, log };
    const request = {
      organizationId: organization.id,
      kind: 'product_import',
      input: { source: { uploadId } },
      triggeredBy: 'manual:bench',
    };
    const { jobId } = await startJob(jobs, request);
    const job = await settled(db, jobId);
    figures.push({ ...job, peakMegabytes: await peakMegabytes(worker.pid) });
    await worker.stop();
  }
  await queue.close();
  await bus.close();
  await db.close();
  return figures;
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
