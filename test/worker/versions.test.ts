import { z } from 'zod';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { pendingReasons } from '../../src/queue/pending-reason.ts';
import { startJob } from '../../src/queue/start.ts';
import { catalogueOf, defineJob } from '../../src/jobs/define.ts';
import { BROKERS, startEngine, type Engine } from '../support/engine.ts';
import { readJob, settled } from '../support/jobs.ts';
import { testCatalogue, testHandlers } from '../support/kinds.ts';
import { waitFor } from '../support/wait.ts';

const common = {
  queue: 'default',
  title: 'Greeting',
  output: z.object({ text: z.string() }),
  retry: { maxAttempts: 3, backoff: { baseMs: 20, maxMs: 100 } },
  timeoutMs: 10_000,
  startable: 'api',
} as const;

/** The release before: another name, and one string for both names. */
const before = catalogueOf(
  defineJob({ ...common, kind: 'salute', version: 1, input: z.object({ name: z.string() }) }),
);
/** Today's release. */
const today = catalogueOf(
  defineJob({
    ...common,
    kind: 'greeting',
    aliases: ['salute'],
    version: 2,
    input: z.object({ first: z.string(), last: z.string() }),
    upgrade(input, version) {
      const { name } = z.object({ name: z.string() }).parse(input);
      const [first = '', last = ''] = name.split(' ');
      return version === 1 ? { first, last } : input;
    },
  }),
);
const todayHandlers = {
  greeting: (_ctx: unknown, { first, last }: { first: string; last: string }) =>
    Promise.resolve({ text: `Hello ${first}, child of ${last}` }),
};
const beforeHandlers = {
  salute: (_ctx: unknown, { name }: { name: string }) => Promise.resolve({ text: `Hello ${name}` }),
};

describe.each(BROKERS)('releases that work side by side, with deliveries on %s', (broker) => {
  let engine: Engine;
  beforeEach(async () => {
    engine = await startEngine({ broker, catalogue: testCatalogue, handlers: testHandlers() });
  });
  afterEach(() => engine.close());

  const start = async (
    catalogue: typeof before | typeof today,
    kind: string,
    input: object,
  ): Promise<string> => {
    const request = { organizationId: engine.organization.id, kind, input, triggeredBy: 'manual:test' };
    return (await startJob({ ...engine.jobs, catalogue }, request)).jobId;
  };

  it('run a job of the release before under its old name, by today’s code', async () => {
    const id = await start(before, 'salute', { name: 'Ada Byron' });
    await engine.startWorker({ catalogue: today, handlers: todayHandlers });
    expect(await settled(engine.database.db, id)).toMatchObject({
      status: 'completed',
      result: { text: 'Hello Ada, child of Byron' },
    });
  });

  it(
    'leave a job that only the newer one knows to it, and use no attempt meanwhile',
    { timeout: 60_000 },
    async () => {
      const { db } = engine.database;
      await engine.startWorker({ catalogue: before, handlers: beforeHandlers });
      const id = await start(today, 'greeting', { first: 'Ada', last: 'Byron' });
      await waitFor(async () => (await pendingReasons(db, [id])).get(id)?.code === 'NO_CAPABLE_WORKER');
      // A delivery that the old one gets all the same, as when a newer worker has just gone.
      await db.query('UPDATE jobs SET delivery = 1, delivered_at = now() WHERE id = $1', [id]);
      await engine.jobs.queue.deliver('default', [{ jobId: id, delivery: 1, priority: 1 }]);
      await waitFor(async () => (await readJob(db, id)).delivered_at === null);
      expect(await readJob(db, id)).toMatchObject({ status: 'pending', attempt: 0 });
      await engine.startWorker({ catalogue: today, handlers: todayHandlers });
      expect(await settled(db, id)).toMatchObject({ status: 'completed', attempt: 1 });
    },
  );
});
