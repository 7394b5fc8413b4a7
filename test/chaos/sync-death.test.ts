import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { connectAccount } from '../../src/connections/connect.ts';
import { demoConnectors } from '../../src/connectors/demo.ts';
import { connectorsOf } from '../../src/connectors/index.ts';
import { jobCatalogue } from '../../src/jobs/index.ts';
import { systemClock } from '../../src/lib/clock.ts';
import { ROLLUP_TABLES } from '../../src/repositories/rollups.ts';
import { loadMasterSecret, openCipher } from '../../src/secrets/index.ts';
import { jobHandlers } from '../../worker/jobs/index.ts';
import { BROKERS, startEngine, type Engine } from '../support/engine.ts';
import { silentLog } from '../support/log.ts';
import { createOrganization } from '../support/organization.ts';
import { spawnWorker, type WorkerProcess } from '../support/spawn-worker.ts';
import { waitFor } from '../support/wait.ts';

const KILLS = 3;
/** Records that a worker writes before it is killed */
const RECORDS_PER_LIFE = 500;
/** What is younger goes on changing: campaigns are opened for weeks. */
const SETTLED_DAYS = 35;

describe.each(BROKERS)('syncs whose workers are killed, with deliveries on %s', (broker) => {
  let engine: Engine;
  const processes: WorkerProcess[] = [];
  beforeEach(async () => {
    engine = await startEngine({
      broker,
      catalogue: jobCatalogue,
      handlers: jobHandlers,
      environment: { DEMO_PROVIDERS: 'true', SHUTDOWN_GRACE_SECONDS: '0' },
    });
  });
  afterEach(async () => {
    await Promise.all(processes.splice(0).map((process) => process.end()));
    await engine.close();
  });

  const db = () => engine.database.db;
  const spawn = async (): Promise<WorkerProcess> => {
    const process = await spawnWorker(engine.environment, undefined, ['fast', 'real']);
    processes.push(process);
    return process;
  };
  const connectAll = async (organizationId: string): Promise<void> => {
    const connectors = connectorsOf(...demoConnectors);
    const cipher = openCipher(await loadMasterSecret(engine.config), []);
    const deps = { db: db(), cipher, connectors, baseUrls: {}, clock: systemClock, log: silentLog };
    for (const provider of Object.keys(connectors)) {
      const request = { organizationId, createdBy: 'api:test', provider, config: {}, credentials: {} };
      await connectAccount(deps, request);
    }
  };
  const recordsOf = async (organizationId: string): Promise<number> => {
    const { rows } = await db().query<{ count: number }>(
      'SELECT count(*)::int FROM source_records WHERE organization_id = $1',
      [organizationId],
    );
    return rows[0]?.count ?? 0;
  };
  const isSynced = async (organizationId: string): Promise<boolean> => {
    const { rows } = await db().query<{ left: number }>(
      'SELECT count(*)::int AS left FROM connections WHERE organization_id = $1 AND synced_at IS NULL',
      [organizationId],
    );
    return rows[0]?.left === 0;
  };
  /** All rollups of days that no longer change, without whose they are. */
  const figuresOf = async (organizationId: string): Promise<unknown> => {
    const tables = await Promise.all(
      ROLLUP_TABLES.map(async (table) => {
        const { rows } = await db().query<{ row: object }>(
          `SELECT to_jsonb(t) - 'organization_id' - 'connection_id' AS row FROM ${table} t
           WHERE organization_id = $1 AND day < current_date - ${SETTLED_DAYS} ORDER BY 1`,
          [organizationId],
        );
        return [table, rows.map(({ row }) => row)];
      }),
    );
    return Object.fromEntries(tables);
  };

  it('lose and double nothing: the figures are those of a run that nobody disturbed', async () => {
    const disturbed = engine.organization.id;
    await connectAll(disturbed);
    for (let kill = 0; kill < KILLS; kill += 1) {
      const before = await recordsOf(disturbed);
      const worker = await spawn();
      await waitFor(
        async () => (await recordsOf(disturbed)) >= before + RECORDS_PER_LIFE || (await isSynced(disturbed)),
        { timeoutMs: 60_000 },
      );
      worker.kill('SIGKILL');
      await worker.exited;
    }
    await spawn();
    await waitFor(() => isSynced(disturbed), { timeoutMs: 120_000 });
    const quiet = (await createOrganization(db())).id;
    await connectAll(quiet);
    await waitFor(() => isSynced(quiet), { timeoutMs: 120_000 });
    expect(await recordsOf(disturbed)).toBeGreaterThan(KILLS * RECORDS_PER_LIFE);
    expect(await figuresOf(disturbed)).toEqual(await figuresOf(quiet));
    const { rows } = await db().query(
      `SELECT error_code FROM jobs WHERE kind = 'connector_sync' AND status = 'failed'`,
    );
    expect(rows).toEqual([]);
  }, 300_000);
});
