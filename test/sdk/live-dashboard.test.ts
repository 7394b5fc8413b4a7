import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { WebSocket } from 'ws';
import { readConfig } from '../../src/config.ts';
import { connectorsOf, type Connectors } from '../../src/connectors/index.ts';
import { jobCatalogue } from '../../src/jobs/index.ts';
import { createClient, type DashboardChange, type MillraceClient } from '../../src/sdk/index.ts';
import { createWorkerApp, type WorkerApp } from '../../worker/app.ts';
import { jobHandlers } from '../../worker/jobs/index.ts';
import { startApi, type TestApi } from '../support/api.ts';
import { FAST_TIMES } from '../support/beat-times.ts';
import { BROKERS } from '../support/engine.ts';
import { silentLog } from '../support/log.ts';
import { createWorld, scriptedProvider } from '../support/scripted-provider.ts';

describe.each(BROKERS)('a live dashboard, with hints over %s', (broker) => {
  let api: TestApi;
  let client: MillraceClient;
  let connectors: Connectors;
  let worker: WorkerApp | null = null;

  beforeEach(async () => {
    connectors = connectorsOf(scriptedProvider(createWorld(35)));
    api = await startApi({ broker, connectors });
    client = createClient({ url: api.graphqlUrl, token: api.tokens.admin, webSocketImpl: WebSocket });
  });
  afterEach(async () => {
    await client.close();
    await worker?.close();
    await api.close();
  });

  const startWorker = async (): Promise<void> => {
    const config = readConfig(api.environment);
    if (config.database.type !== 'url') throw new Error('a worker needs a database');
    worker = await createWorkerApp({
      config,
      databaseUrl: config.database.url,
      directDatabaseUrl: config.database.directUrl,
      catalogue: jobCatalogue,
      handlers: jobHandlers,
      connectors,
      log: silentLog,
      times: FAST_TIMES,
      canaryMs: null,
    });
  };
  /** The first change that is like this; none of another organization comes before it. */
  const changeTo = async (state: string): Promise<DashboardChange> => {
    for await (const change of client.liveDashboard.changes()) if (change.state === state) return change;
    throw new Error('the stream ended');
  };

  test('tells when an account that was connected has filled its panel, and again when it is refreshed', async () => {
    const filled = changeTo('READY');
    const connection = await client.connections.connect({
      provider: 'scripted',
      config: {},
      credentials: { key: 'a key' },
      syncFrom: null,
    });
    const before = await client.dashboard();
    expect(before.revenue).toMatchObject({ state: 'LOADING' });
    await startWorker();
    expect(await filled).toEqual({ key: 'REVENUE', state: 'READY' });
    const { revenue } = await client.dashboard({ range: { from: '2026-03-01', to: '2026-03-31' } });
    expect(revenue).toMatchObject({
      state: 'READY',
      orders: 35,
      net: [{ amount: '358.75', currency: 'EUR' }],
      sources: [{ label: connection.label, state: 'READY', included: true }],
    });
    const again = changeTo('READY');
    const [job] = await client.liveDashboard.refresh(['REVENUE']);
    expect(job).toMatchObject({ kind: 'REVENUE_AGGREGATION' });
    expect(await again).toEqual({ key: 'REVENUE', state: 'READY' });
  });
});
