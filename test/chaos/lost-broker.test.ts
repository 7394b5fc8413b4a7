import { afterEach, describe, expect, it } from 'vitest';
import { brokerOf } from '../../src/queue/broker.ts';
import { startJob } from '../../src/queue/start.ts';
import { loseEverything } from '../support/broker.ts';
import { BROKERS, startEngine, type Engine } from '../support/engine.ts';
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
});
