import { afterEach, describe, expect, it } from 'vitest';
import { brokerOf } from '../../src/queue/broker.ts';
import { startJob, startJobIn } from '../../src/queue/start.ts';
import { loseEverything } from '../support/broker.ts';
import { BROKERS, startEngine, type Engine } from '../support/engine.ts';
import { Gate } from '../support/gate.ts';
import { testCatalogue, testHandlers, type Script } from '../support/kinds.ts';
import { waitFor } from '../support/wait.ts';

const JOBS = 500;

describe.each(BROKERS)('a broker on %s that loses everything', (name) => {
  let engine: Engine | undefined;
  afterEach(() => engine?.close());

  it(
    `loses none of ${JOBS} waiting and running jobs, and each effect happens once`,
    { timeout: 90_000 },
    async () => {
      const scripts: Record<string, Script> = {
        async effect(ctx) {
          await ctx.transaction(async (tx) => {
            await tx.query('INSERT INTO effects (job_id) VALUES ($1)', [ctx.jobId]);
          });
          return 'done';
        },
      };
      engine = await startEngine({ broker: name, catalogue: testCatalogue, handlers: testHandlers(scripts) });
      const { database, jobs, organization, config } = engine;
      const { db } = database;
      await db.query('CREATE TABLE effects (job_id uuid NOT NULL)');
      await engine.startWorker();
      const request = {
        organizationId: organization.id,
        kind: 'scripted',
        input: { script: 'effect' },
        triggeredBy: 'manual:test',
      };
      const settledCount = async (): Promise<number> => {
        const { rows } = await db.query<{ count: number }>(
          `SELECT count(*)::int AS count FROM jobs WHERE status NOT IN ('pending', 'running')`,
        );
        return rows[0]?.count ?? 0;
      };

      const starting = (async () => {
        for (let batch = 0; batch < JOBS / 50; batch += 1) {
          await Promise.all(Array.from({ length: 50 }, () => startJob(jobs, request)));
        }
      })();
      await waitFor(async () => (await settledCount()) >= 50, { timeoutMs: 30_000 });
      await loseEverything(brokerOf(config.broker, database.url, 'millrace-test'), database);
      await starting;
      await loseEverything(brokerOf(config.broker, database.url, 'millrace-test'), database);

      await waitFor(async () => (await settledCount()) === JOBS, { timeoutMs: 60_000 });
      const { rows } = await db.query<{ completed: number; effects: number; distinct: number }>(
        `SELECT (SELECT count(*)::int FROM jobs WHERE status = 'completed') AS completed,
              (SELECT count(*)::int FROM effects) AS effects,
              (SELECT count(DISTINCT job_id)::int FROM effects) AS distinct`,
      );
      expect(rows).toEqual([{ completed: JOBS, effects: JOBS, distinct: JOBS }]);
    },
  );

  it('gets a delivery again that it never got, while others run', { timeout: 60_000 }, async () => {
    const begun = new Gate();
    const release = new Gate();
    const scripts: Record<string, Script> = {
      async long() {
        begun.open();
        await release.opened;
        return 'done';
      },
      short: () => Promise.resolve('done'),
    };
    engine = await startEngine({ broker: name, catalogue: testCatalogue, handlers: testHandlers(scripts) });
    const { database, jobs, organization } = engine;
    const request = (script: string) => ({
      organizationId: organization.id,
      kind: 'scripted',
      input: { script },
      triggeredBy: 'manual:test',
    });
    await engine.startWorker();
    await startJob(jobs, request('long'));
    await begun.opened;
    // As if the process had died between its commit and its call to the broker.
    const { jobId } = await database.db.transaction((tx) => startJobIn(tx, jobs, request('short')));
    const read = async () =>
      (
        await database.db.query<{ status: string; delivered: boolean }>(
          'SELECT status, delivered_at IS NOT NULL AS delivered FROM jobs WHERE id = $1',
          [jobId],
        )
      ).rows[0];
    expect(await read()).toEqual({ status: 'pending', delivered: true });
    await waitFor(async () => (await read())?.status === 'completed', { timeoutMs: 20_000 });
    release.open();
  });
});
