import { readConfig } from '../../src/config.ts';
import { createWorkerApp, type WorkerApp } from '../../worker/app.ts';
import { BEAT_TIMES } from '../../worker/beat.ts';
import { startFaultyProxy, type FaultyProxy } from '../conformance/faulty-proxy.ts';
import type { Engine } from './engine.ts';
import { testCatalogue, type testHandlers } from './kinds.ts';
import { silentLog } from './log.ts';

export interface ProxiedWorker {
  readonly worker: WorkerApp;
  readonly proxy: FaultyProxy;
  reasons(): Promise<string[]>;
  close(): Promise<void>;
}

/**
 * A worker whose way to the broker, or to Postgres, leads through a proxy with faults; the test has its own way. Beats
 * as in production: what is tested here takes its time.
 */
export async function startProxiedWorker(
  engine: Engine,
  handlers: ReturnType<typeof testHandlers>,
  between: 'broker' | 'database',
): Promise<ProxiedWorker> {
  const { config } = engine;
  const viaRedis = between === 'broker' && config.broker.type === 'redis';
  const proxy = await startFaultyProxy(
    viaRedis && config.broker.type === 'redis' ? config.broker.url : engine.database.url,
  );
  const worker = await createWorkerApp({
    config: readConfig({ ...engine.environment, ...(viaRedis ? { REDIS_URL: proxy.url } : {}) }),
    databaseUrl: between === 'database' ? proxy.url : engine.database.url,
    // BullMQ on Postgres, its events and the beat go here.
    directDatabaseUrl: viaRedis ? engine.database.url : proxy.url,
    catalogue: testCatalogue,
    handlers,
    log: silentLog,
    times: BEAT_TIMES,
    canaryMs: null,
  });
  return {
    worker,
    proxy,
    reasons: () => worker.notReady(AbortSignal.timeout(4_000)),
    async close() {
      await worker.close();
      await proxy.close();
    },
  };
}
