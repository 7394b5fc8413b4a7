import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { connectAccount } from '../../src/connections/connect.ts';
import { pause, disconnect } from '../../src/connections/manage.ts';
import { refreshPanels } from '../../src/connections/refresh.ts';
import { connectorsOf, type Connectors } from '../../src/connectors/index.ts';
import { jobCatalogue } from '../../src/jobs/index.ts';
import { systemClock } from '../../src/lib/clock.ts';
import { pruneErasedConnections } from '../../src/repositories/connection-erasure.ts';
import { loadMasterSecret, openCipher } from '../../src/secrets/index.ts';
import { startDueSyncs } from '../../src/connections/due-syncs.ts';
import { jobHandlers } from '../../worker/jobs/index.ts';
import { BROKERS, startEngine, type Engine } from '../support/engine.ts';
import { settled } from '../support/jobs.ts';
import { silentLog } from '../support/log.ts';
import { createWorld, orderOf, scriptedProvider, type World } from '../support/scripted-provider.ts';
import { waitFor } from '../support/wait.ts';

describe.each(BROKERS)('connections, with deliveries on %s', (broker) => {
  let engine: Engine;
  let world: World;
  let connectors: Connectors;
  let connectionId: string;
  const db = () => engine.database.db;
  const target = () => ({ organizationId: engine.organization.id, id: connectionId, by: 'api:test' });

  beforeEach(async () => {
    world = createWorld(35);
    connectors = connectorsOf(scriptedProvider(world));
    engine = await startEngine({ broker, catalogue: jobCatalogue, handlers: jobHandlers, connectors });
    const cipher = openCipher(await loadMasterSecret(engine.config), []);
    const deps = { db: db(), cipher, connectors, baseUrls: {}, clock: systemClock, log: silentLog };
    ({ connectionId } = await connectAccount(deps, {
      organizationId: engine.organization.id,
      createdBy: 'api:test',
      provider: 'scripted',
      config: {},
      credentials: { key: 'a key' },
    }));
  });
  afterEach(() => engine.close());

  const syncs = async (): Promise<{ id: string; status: string }[]> => {
    const { rows } = await db().query<{ id: string; status: string }>(
      `SELECT id, status::text FROM jobs WHERE kind = 'connector_sync' ORDER BY id`,
    );
    return rows;
  };
  const orders = async (): Promise<number> => {
    const { rows } = await db().query<{ orders: number }>(
      'SELECT coalesce(sum(orders), 0)::int AS orders FROM revenue_days WHERE connection_id = $1',
      [connectionId],
    );
    return rows[0]?.orders ?? 0;
  };

  it('are read by themselves once they are connected, and again when they are due', async () => {
    await engine.startWorker();
    await waitFor(async () => (await orders()) === 35);
    world.orders.push(orderOf(35));
    await waitFor(async () => (await syncs()).every(({ status }) => status === 'completed'));
    await db().query('UPDATE connections SET next_sync_at = now() WHERE id = $1', [connectionId]);
    await waitFor(async () => (await orders()) === 36);
  });

  it('are read by one job at a time, however many workers find them due', async () => {
    const signal = new AbortController().signal;
    await Promise.all(Array.from({ length: 10 }, () => startDueSyncs(engine.jobs, connectors, signal)));
    expect(await syncs()).toHaveLength(1);
    await db().query('UPDATE connections SET next_sync_at = now() WHERE id = $1', [connectionId]);
    await startDueSyncs(engine.jobs, connectors, signal);
    expect(await syncs()).toHaveLength(1);
    const { rows } = await db().query('SELECT next_sync_at <= now() AS due FROM connections WHERE id = $1', [
      connectionId,
    ]);
    expect(rows).toEqual([{ due: true }]);
  });

  it('of a provider that this installation does not know wait until it does', async () => {
    const signal = new AbortController().signal;
    await startDueSyncs(engine.jobs, connectorsOf(), signal);
    expect(await syncs()).toEqual([]);
    await startDueSyncs(engine.jobs, connectors, signal);
    expect(await syncs()).toHaveLength(1);
  });

  it('are left alone while they are paused, and a sync that runs is cancelled', async () => {
    let signalled = false;
    world.beforePage = (_entity, _page, signal) =>
      new Promise((_, reject) => {
        signalled = true;
        signal.addEventListener('abort', () => reject(new Error('aborted')), { once: true });
      });
    await engine.startWorker();
    await waitFor(() => signalled);
    await pause(engine.jobs, target());
    await waitFor(async () => (await syncs())[0]?.status === 'cancelled');
    const { rows } = await db().query('SELECT next_sync_at FROM connections WHERE id = $1', [connectionId]);
    expect(rows).toEqual([{ next_sync_at: null }]);
  });

  it('fill their panel when it is refreshed; asking again gives the same job', async () => {
    await db().query('UPDATE connections SET next_sync_at = NULL WHERE id = $1', [connectionId]);
    const ask = () =>
      refreshPanels(engine.jobs, {
        organizationId: engine.organization.id,
        triggeredBy: 'api:test',
        panels: ['revenue', 'ads'],
      });
    const [first, second] = [await ask(), await ask()];
    expect(first.errors).toMatchObject([{ code: 'NOT_CONNECTED', field: ['keys', '1'] }]);
    expect(second.jobIds).toEqual(first.jobIds);
    await engine.startWorker();
    const job = await settled(engine.database.db, first.jobIds[0] ?? '');
    expect(job).toMatchObject({ status: 'completed', result: { syncs: 1 } });
    expect(await orders()).toBe(35);
  });

  it('take all that was read with them when they are to', async () => {
    await engine.startWorker();
    await waitFor(async () => (await orders()) === 35);
    await disconnect(engine.jobs, target(), true);
    while ((await pruneErasedConnections(db(), 10)) > 0);
    for (const table of ['facts', 'source_records', 'revenue_days', 'connection_cursors', 'connections']) {
      const { rows } = await db().query(`SELECT 1 FROM ${table}`);
      expect(rows, table).toEqual([]);
    }
  });
});
