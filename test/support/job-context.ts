import type { EventBus } from '../../src/events/bus.ts';
import { newUuid } from '../../src/domain/ids.ts';
import type { JobCounts } from '../../src/domain/job.ts';
import { connectors, type Connectors } from '../../src/connectors/index.ts';
import { createMasterSecret, openCipher } from '../../src/secrets/index.ts';
import { jobCatalogue } from '../../src/jobs/index.ts';
import { createJobDeps } from '../../src/queue/deps.ts';
import type { DeliveryQueue } from '../../src/queue/queue.ts';
import { systemClock } from '../../src/lib/clock.ts';
import type { Database } from '../../src/repositories/db.ts';
import type { Storage } from '../../src/storage/storage.ts';
import { createAttemptContext } from '../../worker/attempt-context.ts';
import type { JobContext } from '../../worker/context.ts';
import { Reporter } from '../../worker/reporter.ts';
import { silentLog } from './log.ts';

/** Nobody listens: what a handler writes is read from the tables. */
const deafBus: EventBus = {
  publish: () => undefined,
  on: () => () => undefined,
  flush: () => Promise.resolve(),
  connected: true,
  close: () => Promise.resolve(),
};

/** No broker: what a handler starts waits in Postgres. */
const deafQueue: DeliveryQueue = {
  deliver: () => Promise.resolve(),
  remove: () => Promise.resolve(),
  pass: () => Promise.resolve(),
  counts: () => Promise.resolve({ waiting: 0, active: 0 }),
  plantEpoch: () => Promise.resolve(newUuid()),
  missing: () => Promise.resolve([]),
  hasEpoch: () => Promise.resolve(true),
  close: () => Promise.resolve(),
};

/** Of connections that tests make */
export const testCipher = openCipher(createMasterSecret('a secret of tests alone, which opens nothing'), []);

export interface TestJobOptions {
  readonly db: Database;
  readonly storage: Storage;
  readonly organization: { readonly id: string; readonly timeZone: string; readonly currency: string };
  readonly kind: string;
  readonly input: object;
  /** Providers in the place of the real ones */
  readonly connectors?: Connectors;
}

export interface TestJob {
  readonly id: string;
  /** A context as the worker makes it, for one more attempt: the one before is no longer the job's. */
  attempt(options?: { signal?: AbortSignal }): Promise<{ ctx: JobContext; end(): Promise<void> }>;
  counts(): Promise<JobCounts>;
  settle(status: 'completed' | 'failed'): Promise<void>;
}

/** A job row that is running, and the real context over it: a handler's world without queue and executor. */
export async function createTestJob({
  db,
  storage,
  organization,
  kind,
  input,
  connectors: providers = connectors,
}: TestJobOptions): Promise<TestJob> {
  const id = newUuid();
  await db.query(
    `INSERT INTO jobs (id, organization_id, kind, version, queue, input, input_hash, triggered_by, max_attempts)
     VALUES ($1, $2, $3, 1, 'long_running', $4, '\\x00', 'test', 5)`,
    [id, organization.id, kind, JSON.stringify(input)],
  );
  return {
    id,
    async attempt({ signal = new AbortController().signal } = {}) {
      const { rows } = await db.query<{ delivery: number }>(
        `UPDATE jobs SET status = 'running', delivery = delivery + 1, attempt = attempt + 1 WHERE id = $1 RETURNING delivery`,
        [id],
      );
      const delivery = rows[0]?.delivery ?? 0;
      const reporter = new Reporter({
        db,
        bus: deafBus,
        log: silentLog,
        jobId: id,
        delivery,
        onLost: () => undefined,
      });
      const news = { organizationId: organization.id, jobId: id, events: [] };
      const job = {
        id,
        delivery,
        kind,
        version: 1,
        attempt: delivery,
        maxAttempts: 5,
        input,
        counts: { total: null, processed: 0, succeeded: 0, warned: 0, failed: 0 },
        organization,
        news,
      };
      const { ctx } = createAttemptContext({
        db,
        bus: deafBus,
        storage,
        jobs: createJobDeps({
          db,
          bus: deafBus,
          queue: deafQueue,
          catalogue: jobCatalogue,
          log: silentLog,
        }),
        connections: {
          db,
          cipher: testCipher,
          connectors: providers,
          baseUrls: {},
          clock: systemClock,
          log: silentLog,
        },
        clock: systemClock,
        job,
        signal,
        reporter,
      });
      return { ctx, end: () => reporter.flush() };
    },
    async counts() {
      const { rows } = await db.query<{ [K in keyof JobCounts]: JobCounts[K] }>(
        `SELECT count_total AS total, count_processed AS processed, count_succeeded AS succeeded,
                count_warned AS warned, count_failed AS failed FROM jobs WHERE id = $1`,
        [id],
      );
      const [counts] = rows;
      if (!counts) throw new Error(`job ${id} is gone`);
      return counts;
    },
    async settle(status) {
      await db.query(`UPDATE jobs SET status = $2::job_status, completed_at = now() WHERE id = $1`, [
        id,
        status,
      ]);
    },
  };
}
