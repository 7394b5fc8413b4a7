import { afterEach, describe, expect, it } from 'vitest';
import { z } from 'zod';
import { newUuid } from '../../src/domain/ids.ts';
import { catalogueOf, defineJob } from '../../src/jobs/define.ts';
import { brokerOf } from '../../src/queue/broker.ts';
import { pendingReasons } from '../../src/queue/pending-reason.ts';
import { startJob } from '../../src/queue/start.ts';
import { pruneStoppedWorkers, readWorkers } from '../../src/repositories/worker-list.ts';
import { BEAT_SQL, beatValues, readBeats, removeWorker } from '../../src/repositories/workers.ts';
import { holdQueue, readQueues, releaseQueue, resizeQueue } from '../../src/repositories/queues.ts';
import { loseEverything } from '../support/broker.ts';
import { BROKERS, startEngine, type BrokerName, type Engine } from '../support/engine.ts';
import { Gate } from '../support/gate.ts';
import { settled } from '../support/jobs.ts';
import { waitFor } from '../support/wait.ts';

const common = {
  version: 1,
  retry: { maxAttempts: 3, backoff: { baseMs: 20, maxMs: 100 } },
  timeoutMs: 60_000,
  startable: 'api',
  input: z.object({}),
  output: z.object({}),
} as const;
/** Waits at the gate. */
const gated = defineJob({ ...common, kind: 'gated', title: 'Gated', queue: 'default' });
/** Runs in a queue that nobody holds: when it has gone through, so has whatever else would have started. */
const elsewhere = defineJob({ ...common, kind: 'elsewhere', title: 'Elsewhere', queue: 'scheduled' });
const catalogue = catalogueOf(gated, elsewhere);

/** At once in the queue `default` of the one worker */
const SLOTS = 2;
const JOBS = 30;
const BY = { by: 'manual:test', reason: null };

describe.each(BROKERS)('a queue, with deliveries on %s', (broker) => {
  let engine: Engine | undefined;
  afterEach(() => engine?.close());

  async function underLoad(name: BrokerName) {
    const gate = new Gate();
    let begun = 0;
    const handlers = {
      gated: async () => {
        begun += 1;
        await gate.opened;
        return {};
      },
      elsewhere: async () => ({}),
    };
    const environment = { WORKER_CONCURRENCY_DEFAULT: String(SLOTS) };
    const started = await startEngine({ broker: name, catalogue, handlers, environment });
    engine = started;
    const { database, jobs, organization } = started;
    const { db } = database;
    const start = async (kind: 'gated' | 'elsewhere'): Promise<string> =>
      (await startJob(jobs, { organizationId: organization.id, kind, input: {}, triggeredBy: 'manual:test' }))
        .jobId;
    const count = async (where: string): Promise<number> => {
      const { rows } = await db.query<{ count: number }>(
        `SELECT count(*)::int AS count FROM jobs WHERE kind = 'gated' AND ${where}`,
      );
      return rows[0]?.count ?? 0;
    };
    await started.startWorker();
    await Promise.all(Array.from({ length: JOBS }, () => start('gated')));
    await waitFor(() => begun === SLOTS);
    return {
      db,
      gate,
      start,
      count,
      begun: () => begun,
      state: async () => (await readQueues(db, ['default']))[0]?.state,
      /** Long enough for a job to be delivered, fetched and begun three times over. */
      async timePasses() {
        for (let turn = 0; turn < 3; turn += 1) await settled(db, await start('elsewhere'));
      },
      loseBroker: () =>
        loseEverything(brokerOf(started.config.broker, database.url, 'millrace-test'), database),
      allDone: () =>
        waitFor(async () => (await count(`status = 'completed'`)) === JOBS, { timeoutMs: 40_000 }),
    };
  }

  it(
    'that is paused lets what runs end, starts nothing, and goes on when it is resumed',
    { timeout: 90_000 },
    async () => {
      const { db, gate, count, begun, timePasses, state, allDone } = await underLoad(broker);
      await holdQueue(db, 'default', { ...BY, draining: false });
      gate.open();
      await waitFor(async () => (await count(`status = 'completed'`)) === SLOTS);
      await timePasses();
      expect(begun()).toBe(SLOTS);
      expect(await count(`status = 'pending'`)).toBe(JOBS - SLOTS);
      expect(await state()).toBe('paused');
      await releaseQueue(db, 'default', BY.by);
      await allDone();
      expect(begun()).toBe(JOBS);
    },
  );

  it('that is paused takes new jobs, which say what they wait for', { timeout: 90_000 }, async () => {
    const { db, gate, start } = await underLoad(broker);
    await holdQueue(db, 'default', { ...BY, draining: false });
    const id = await start('gated');
    expect((await pendingReasons(db, [id])).get(id)).toMatchObject({
      code: 'QUEUE_PAUSED',
      message: expect.stringContaining('paused'),
    });
    await holdQueue(db, 'default', { ...BY, draining: true });
    expect((await pendingReasons(db, [id])).get(id)).toMatchObject({
      code: 'QUEUE_PAUSED',
      message: expect.stringContaining('drained'),
    });
    const { rows } = await db.query('SELECT delivered_at FROM jobs WHERE id = $1', [id]);
    expect(rows).toEqual([{ delivered_at: null }]);
    gate.open();
  });

  it(
    'that is drained takes back what is out, lets what runs end, deletes nothing, and tells when',
    { timeout: 90_000 },
    async () => {
      const { db, gate, count, begun, timePasses, state, allDone } = await underLoad(broker);
      expect(await count('delivered_at IS NOT NULL')).toBeGreaterThan(SLOTS);
      await holdQueue(db, 'default', { ...BY, draining: true });
      await waitFor(async () => (await count(`status = 'pending' AND delivered_at IS NOT NULL`)) === 0);
      expect(await state()).toBe('draining');
      gate.open();
      await waitFor(async () => (await state()) === 'drained');
      await timePasses();
      expect(begun()).toBe(SLOTS);
      expect(await count(`status = 'pending'`)).toBe(JOBS - SLOTS);
      await releaseQueue(db, 'default', BY.by);
      await allDone();
      expect(begun()).toBe(JOBS);
    },
  );

  it('stays as operators left it when the broker loses everything', { timeout: 90_000 }, async () => {
    const { db, gate, count, begun, timePasses, loseBroker, allDone } = await underLoad(broker);
    await holdQueue(db, 'default', { ...BY, draining: false });
    await resizeQueue(db, 'default', 7, BY.by);
    const [before] = await readQueues(db, ['default']);
    await loseBroker();
    gate.open();
    await waitFor(async () => (await count(`status = 'completed'`)) === SLOTS);
    await timePasses();
    expect(await readQueues(db, ['default'])).toEqual([before]);
    expect(before).toMatchObject({ state: 'paused', concurrency: 7 });
    expect(begun()).toBe(SLOTS);
    await releaseQueue(db, 'default', BY.by);
    await allDone();
  });
});

describe('a worker', () => {
  let engine: Engine | undefined;
  afterEach(() => engine?.close());

  it('is on the list while it lives, and then among those that went by themselves', async () => {
    const handlers = { gated: async () => ({}), elsewhere: async () => ({}) };
    engine = await startEngine({ broker: 'postgres', catalogue, handlers });
    const { db } = engine.database;
    const page = { first: 10, before: null, alive: null };
    const worker = await engine.startWorker();
    expect(await readWorkers(db, page)).toMatchObject([{ id: worker.id, state: 'alive', stoppedAt: null }]);
    // What it does last when it goes away.
    await removeWorker(db, worker.id);
    expect(await readWorkers(db, page)).toMatchObject([{ id: worker.id, state: 'stopped' }]);
  });

  it('that was taken for dead is lost, and alive again when it beats again', async () => {
    engine = await startEngine({
      broker: 'postgres',
      catalogue,
      handlers: { gated: async () => ({}), elsewhere: async () => ({}) },
    });
    const { db } = engine.database;
    const worker = { id: newUuid(), name: 'w', capabilities: { gated: 1 }, queues: ['default'] };
    const page = { first: 10, before: null, alive: null };
    const beat = () => db.query(BEAT_SQL, beatValues(worker));
    const beatAt = async (): Promise<string> =>
      (await readBeats(db, 15)).find(({ id }) => id === worker.id)?.beat ?? '';
    for (let life = 0; life < 2; life += 1) {
      await beat();
      expect(await readWorkers(db, page)).toMatchObject([{ id: worker.id, state: 'alive' }]);
      await removeWorker(db, worker.id, 'another beat');
      expect(await readWorkers(db, page)).toMatchObject([{ id: worker.id, state: 'alive' }]);
      await removeWorker(db, worker.id, await beatAt());
      expect(await readWorkers(db, page)).toMatchObject([
        { id: worker.id, state: 'lost', kinds: { gated: 1 } },
      ]);
    }
  });

  it('that went more than a day ago is forgotten', async () => {
    engine = await startEngine({
      broker: 'postgres',
      catalogue,
      handlers: { gated: async () => ({}), elsewhere: async () => ({}) },
    });
    const { db } = engine.database;
    await db.query(
      `INSERT INTO stopped_workers SELECT gen_random_uuid(), 'w', '{}', '{}', now(), now(), now() - n * interval '10 hours', false
       FROM generate_series(0, 4) n`,
    );
    expect(await pruneStoppedWorkers(db, 100)).toBe(2);
    expect(await readWorkers(db, { first: 10, before: null, alive: false })).toHaveLength(3);
  });
});
