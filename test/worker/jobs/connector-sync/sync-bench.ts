import { connectAccount } from '../../../../src/connections/connect.ts';
import { connectorsOf } from '../../../../src/connectors/index.ts';
import { systemClock } from '../../../../src/lib/clock.ts';
import type { JobInput } from '../../../../src/jobs/define.ts';
import type { connectorSync } from '../../../../src/jobs/connector-sync.ts';
import { openStorage } from '../../../../src/storage/index.ts';
import { syncConnection } from '../../../../worker/jobs/connector-sync.ts';
import type { TestDatabase } from '../../../support/database.ts';
import { createTestJob, testCipher, type TestJob } from '../../../support/job-context.ts';
import { silentLog } from '../../../support/log.ts';
import { createOrganization, type TestOrganization } from '../../../support/organization.ts';
import { createWorld, scriptedProvider, type World } from '../../../support/scripted-provider.ts';

/** A connected account of a scripted provider in an organization of its own, and the sync's handler over it. */
export interface SyncBench {
  readonly world: World;
  readonly organization: TestOrganization;
  readonly connectionId: string;
  job(input?: Partial<JobInput<typeof connectorSync>>): Promise<TestJob>;
  /** One attempt of a job. @returns what the handler does */
  attempt(job: TestJob, signal?: AbortSignal): ReturnType<typeof syncConnection>;
  /** A whole job of one attempt. */
  sync(input?: Partial<JobInput<typeof connectorSync>>): ReturnType<typeof syncConnection>;
  /** The rollups as one number, e.g. "10.25 in 1 orders"; and how many records and facts there are */
  figures(): Promise<{ gross: string; orders: number; records: number; facts: number }>;
  connection(): Promise<Record<string, unknown>>;
  entity(name: string): Promise<Record<string, unknown>>;
}

export async function createSyncBench(database: TestDatabase, orders = 35): Promise<SyncBench> {
  const { db } = database;
  const world = createWorld(orders);
  const organization = await createOrganization(db);
  const connectors = connectorsOf(scriptedProvider(world));
  const deps = { db, cipher: testCipher, connectors, baseUrls: {}, clock: systemClock, log: silentLog };
  const { connectionId } = await connectAccount(deps, {
    organizationId: organization.id,
    createdBy: 'api:test',
    provider: 'scripted',
    config: {},
    credentials: { key: 'a key' },
  });
  const full = (input: Partial<JobInput<typeof connectorSync>>) => ({ connectionId, full: false, ...input });
  const inputs = new WeakMap<TestJob, JobInput<typeof connectorSync>>();
  const one = async (text: string): Promise<Record<string, unknown>> => {
    const { rows } = await db.query<Record<string, unknown>>(text, [connectionId]);
    return rows[0] ?? {};
  };
  const bench: SyncBench = {
    world,
    organization,
    connectionId,
    async job(input = {}) {
      const storage = openStorage({ dataDir: '/nowhere' });
      const kind = 'connector_sync';
      const job = await createTestJob({ db, storage, organization, kind, input: full(input), connectors });
      inputs.set(job, full(input));
      return job;
    },
    async attempt(job, signal) {
      const { ctx, end } = await job.attempt(signal ? { signal } : {});
      try {
        return await syncConnection(ctx, inputs.get(job) ?? full({}));
      } finally {
        await end();
      }
    },
    async sync(input) {
      const job = await bench.job(input);
      const result = await bench.attempt(job);
      await job.settle('completed');
      return result;
    },
    async figures() {
      const { rows } = await db.query<{ gross: string; orders: number; records: number; facts: number }>(
        `SELECT coalesce(sum(gross), 0)::numeric(20, 2)::text AS gross, coalesce(sum(orders), 0)::int AS orders,
                (SELECT count(*)::int FROM source_records WHERE connection_id = $1 AND entity = 'orders') AS records,
                (SELECT count(*)::int FROM facts WHERE connection_id = $1) AS facts
         FROM revenue_days WHERE connection_id = $1`,
        [connectionId],
      );
      return rows[0] ?? { gross: '0.00', orders: 0, records: 0, facts: 0 };
    },
    connection: () => one('SELECT * FROM connections WHERE id = $1'),
    entity: (name) => one(`SELECT * FROM connection_cursors WHERE connection_id = $1 AND entity = '${name}'`),
  };
  return bench;
}
