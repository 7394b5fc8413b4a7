import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { startJob } from '../../src/queue/start.ts';
import { BROKERS, startEngine, type Engine } from '../support/engine.ts';
import { settled } from '../support/jobs.ts';
import { testCatalogue, testHandlers, type Script } from '../support/kinds.ts';
import { createOrganization } from '../support/organization.ts';
import { waitFor } from '../support/wait.ts';

const WAITING = 10_000;
/** Jobs of one worker at once: they run when the other organization's job comes. */
const CONCURRENCY = 4;
/** And a few: the one at the head of the other's window, what was fetched in the meantime. */
const FEW = 6;

describe.each(BROKERS)('an organization with 10,000 waiting jobs, with deliveries on %s', (broker) => {
  let engine: Engine;
  const finished: string[] = [];
  const scripts: Record<string, Script> = {
    async turn(ctx) {
      await new Promise((resolve) => setTimeout(resolve, 5));
      finished.push(ctx.organization.id);
      return 'done';
    },
  };
  beforeAll(async () => {
    engine = await startEngine({
      broker,
      catalogue: testCatalogue,
      handlers: testHandlers(scripts),
      environment: { WORKER_CONCURRENCY_DEFAULT: String(CONCURRENCY) },
    });
  });
  afterAll(() => engine.close());

  it('delays the single job of another by what runs already and a few', { timeout: 60_000 }, async () => {
    const { database, organization, jobs } = engine;
    await database.db.query(
      `INSERT INTO jobs (id, organization_id, kind, version, queue, input, input_hash, triggered_by, max_attempts)
       SELECT gen_random_uuid(), $1, 'scripted', 1, 'default', '{"script": "turn"}', '\\x00', 'test', 3
       FROM generate_series(1, ${WAITING})`,
      [organization.id],
    );
    await engine.startWorker();
    await waitFor(() => finished.length >= 20);
    const other = await createOrganization(database.db);
    const { jobId } = await startJob(jobs, {
      organizationId: other.id,
      kind: 'scripted',
      input: { script: 'turn' },
      triggeredBy: 'manual:test',
    });
    // What ended before it was there did not overtake it.
    const before = finished.length;
    await settled(database.db, jobId);
    expect(finished.indexOf(other.id) - before).toBeLessThanOrEqual(CONCURRENCY + FEW);
  });
});
