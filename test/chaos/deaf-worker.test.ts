import { afterEach, describe, expect, it } from 'vitest';
import { startJob } from '../../src/queue/start.ts';
import { BROKERS, startEngine, type Engine } from '../support/engine.ts';
import { Gate } from '../support/gate.ts';
import { jobIn, readJob, settled } from '../support/jobs.ts';
import { testCatalogue, testHandlers, type Script } from '../support/kinds.ts';
import { startProxiedWorker, type ProxiedWorker } from '../support/proxied-worker.ts';
import { waitFor } from '../support/wait.ts';

describe.each(BROKERS)('a worker whose connections to %s die without a word', (broker) => {
  let engine: Engine;
  let proxied: ProxiedWorker | undefined;
  afterEach(async () => {
    await proxied?.close();
    await engine.close();
  });

  it(
    'says within 15 s that it is deaf, builds its consumer anew, and keeps what runs',
    { timeout: 90_000 },
    async () => {
      const release = new Gate();
      let runs = 0;
      const scripts: Record<string, Script> = {
        async long() {
          runs += 1;
          await release.opened;
          return 'long';
        },
        plain: () => Promise.resolve('plain'),
      };
      const handlers = testHandlers(scripts);
      engine = await startEngine({ broker, catalogue: testCatalogue, handlers });
      const { jobs, organization, database } = engine;
      const { db } = database;
      const start = async (script: string): Promise<string> => {
        const input = { script };
        const request = { organizationId: organization.id, kind: 'scripted', input, triggeredBy: 'test' };
        return (await startJob(jobs, request)).jobId;
      };
      proxied = await startProxiedWorker(engine, handlers, 'broker');
      const { worker, proxy, reasons } = proxied;
      await settled(db, await start('plain'));
      const long = await start('long');
      await jobIn(db, long, ['running']);
      expect(await reasons()).toEqual([]);

      proxy.freeze();
      const waiting = await start('plain');
      await waitFor(async () => (await readJob(db, waiting)).delivered_at !== null);
      const deliveredAt = performance.now();
      await waitFor(async () => (await reasons()).some((reason) => reason.includes('the queue default')), {
        timeoutMs: 20_000,
      });
      expect(performance.now() - deliveredAt).toBeLessThan(15_000);

      expect(await settled(db, waiting, 30_000)).toMatchObject({ status: 'completed', attempt: 1 });
      await waitFor(async () => (await reasons()).length === 0, { timeoutMs: 20_000 });
      expect((await worker.metrics()).text).toMatch(/^millrace_deaf_rebuilds_total\{queue="default"\} 1$/m);

      release.open();
      expect(await settled(db, long)).toMatchObject({ status: 'completed', attempt: 1 });
      expect(runs).toBe(1);
    },
  );
});
