import { afterEach, describe, expect, it } from 'vitest';
import { startJob } from '../../src/queue/start.ts';
import { createWorkerApp } from '../../worker/app.ts';
import { stopReasonOf } from '../../worker/stop-reason.ts';
import { FAST_TIMES } from '../support/beat-times.ts';
import { BROKERS, startEngine } from '../support/engine.ts';
import { testCatalogue, testHandlers, untilAborted } from '../support/kinds.ts';
import { silentLog } from '../support/log.ts';
import { startTcpProxy } from '../support/tcp-proxy.ts';
import { waitFor } from '../support/wait.ts';

const undo: (() => Promise<unknown>)[] = [];
afterEach(async () => {
  for (const step of undo.splice(0).reverse()) await step();
});

describe.each(BROKERS)('a worker whose link to PostgreSQL is half-open, with deliveries on %s', (broker) => {
  it('gives its attempts up when its beat is late, though none of its statements is answered', async () => {
    let attempt: AbortSignal | undefined;
    const handlers = testHandlers({
      async hold(ctx) {
        attempt = ctx.signal;
        return untilAborted(ctx.signal);
      },
    });
    const engine = await startEngine({ broker, catalogue: testCatalogue, handlers });
    undo.push(() => engine.close());
    const proxy = await startTcpProxy(engine.database.url);
    undo.push(() => proxy.close());
    const worker = await createWorkerApp({
      config: engine.config,
      databaseUrl: proxy.url,
      directDatabaseUrl: proxy.url,
      catalogue: testCatalogue,
      handlers,
      log: silentLog,
      times: FAST_TIMES,
    });
    undo.push(() => worker.close());
    await startJob(engine.jobs, {
      organizationId: engine.organization.id,
      kind: 'scripted',
      input: { script: 'hold' },
      triggeredBy: 'manual:test',
    });
    await waitFor(() => attempt);
    proxy.halfOpen();
    try {
      await waitFor(() => attempt && stopReasonOf(attempt) === 'lost', { timeoutMs: 8_000 });
    } finally {
      proxy.restore();
    }
    expect(attempt?.aborted).toBe(true);
  });
});
