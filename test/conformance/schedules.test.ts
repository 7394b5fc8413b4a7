import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { z } from 'zod';
import { brokerOf } from '../../src/queue/broker.ts';
import {
  deleteSchedule,
  pauseSchedule,
  resumeSchedule,
  runScheduleNow,
  updateSchedule,
} from '../../src/queue/schedules.ts';
import { loseEverything } from '../support/broker.ts';
import { BROKERS, startEngine, type Engine } from '../support/engine.ts';
import { readJob, settled } from '../support/jobs.ts';
import { testCatalogue, testHandlers } from '../support/kinds.ts';
import { waitFor } from '../support/wait.ts';

import { bench, HOURLY } from '../support/schedule-bench.ts';

describe.each(BROKERS)('schedules on %s', (broker) => {
  let engine: Engine;
  beforeEach(async () => {
    engine = await startEngine({
      broker,
      catalogue: testCatalogue,
      handlers: testHandlers({ ok: () => Promise.resolve('done') }),
    });
  });
  afterEach(() => engine.close());

  it('start one job per due time, with several workers at it', { timeout: 60_000 }, async () => {
    const { db, create, makeDue, jobsOf, row } = bench(engine);
    await Promise.all([engine.startWorker(), engine.startWorker()]);
    const ids: string[] = [];
    for (let count = 0; count < 40; count += 1) ids.push(await create());
    const due = new Map<string, Date>();
    await Promise.all(ids.map(async (id) => due.set(id, await makeDue(id))));
    for (const id of ids) {
      const job = await waitFor(async () => (await jobsOf(id))[0]);
      expect((await settled(db, job.id)).status).toBe('completed');
    }
    for (const id of ids) {
      expect(await jobsOf(id)).toMatchObject([{ scheduled_for: due.get(id) }]);
      expect(await row(id)).toMatchObject({ last_due_at: due.get(id), last_error: null });
    }
  });

  it('neither lose nor double a run when the broker loses everything', { timeout: 90_000 }, async () => {
    const { db, create, makeDue, jobsOf } = bench(engine);
    const ids: string[] = [];
    for (let count = 0; count < 30; count += 1) ids.push(await create());
    await engine.startWorker();
    const lose = () =>
      loseEverything(brokerOf(engine.config.broker, engine.database.url, 'millrace-test'), engine.database);
    await Promise.all(ids.map((id) => makeDue(id)));
    await waitFor(async () => (await jobsOf(ids[0] ?? '')).length === 1);
    await lose();
    await waitFor(async () => (await Promise.all(ids.map(jobsOf))).every((jobs) => jobs.length === 1));
    await lose();
    await waitFor(
      async () => {
        const { rows } = await db.query(
          `SELECT 1 FROM jobs WHERE schedule_id IS NOT NULL AND status <> 'completed'`,
        );
        return rows.length === 0;
      },
      { timeoutMs: 60_000 },
    );
    expect((await Promise.all(ids.map(jobsOf))).flat()).toHaveLength(30);
  });

  it(
    'make up for a downtime by one run, for the latest time that was missed',
    { timeout: 60_000 },
    async () => {
      const { db, create, jobsOf, row } = bench(engine);
      const id = await create({ timing: { cron: { expression: '0 * * * *', timeZone: 'UTC' } } });
      const { rows } = await db.query<{ hour: Date; missed: Date }>(
        `UPDATE schedules SET next_due_at = date_trunc('hour', now(), 'UTC') - interval '30 hours' WHERE id = $1
       RETURNING date_trunc('hour', now(), 'UTC') AS hour, next_due_at AS missed`,
        [id],
      );
      await engine.startWorker();
      const job = await waitFor(async () => (await jobsOf(id))[0]);
      await settled(db, job.id);
      const { next_due_at: next, last_due_at: last } = await row(id);
      const hour = z.date().parse(rows[0]?.hour);
      // The hour may have ended meanwhile.
      const lateMs = z.date().parse(last).getTime() - hour.getTime();
      expect([0, 3_600_000]).toContain(lateMs);
      expect(await jobsOf(id)).toMatchObject([{ scheduled_for: last, triggered_by: 'schedule:schedule 1' }]);
      expect(next?.getTime()).toBe(z.date().parse(last).getTime() + 3_600_000);
    },
  );
});

describe('a due schedule', () => {
  let engine: Engine;
  let bundle: ReturnType<typeof bench>;
  beforeEach(async () => {
    engine = await startEngine({ broker: 'postgres', catalogue: testCatalogue, handlers: testHandlers() });
    bundle = bench(engine);
  });
  afterEach(async () => {
    vi.useRealTimers();
    await engine.close();
  });

  it('is moved on along its own steps, so that a late run shifts none', async () => {
    const { db, create, fire } = bundle;
    const id = await create({ timing: { every: { seconds: 60 } } });
    await db.query(
      `UPDATE schedules SET anchor_at = now() - interval '10 minutes 5 seconds',
                            next_due_at = now() - interval '5 minutes 5 seconds' WHERE id = $1`,
      [id],
    );
    await fire();
    const { rows } = await db.query<{ last: number; next: number }>(
      `SELECT extract(epoch FROM last_due_at - anchor_at)::int AS last,
              extract(epoch FROM next_due_at - anchor_at)::int AS next FROM schedules WHERE id = $1`,
      [id],
    );
    expect(rows).toEqual([{ last: 600, next: 660 }]);
  });

  it.each([
    ['ten years ahead', 10],
    ['ten years behind', -10],
  ])('is so by the clock of Postgres, not of a worker that is %s', async (_name, years) => {
    const { create, makeDue, fire, jobsOf, row } = bundle;
    const [due, notDue] = [
      await create(),
      await create({ timing: { cron: { expression: '0 0 1 1 *', timeZone: 'UTC' } } }),
    ];
    const before = await row(notDue);
    const dueAt = await makeDue(due, 5);
    vi.useFakeTimers({ toFake: ['Date'], now: Date.now() + years * 366 * 86_400_000 });
    await fire();
    vi.useRealTimers();
    expect(await jobsOf(due)).toMatchObject([{ scheduled_for: dueAt }]);
    expect(await jobsOf(notDue)).toEqual([]);
    expect(await row(notDue)).toEqual(before);
    const next = z
      .date()
      .parse((await row(due)).next_due_at)
      .getTime();
    expect(next - dueAt.getTime()).toBeGreaterThan(0);
    expect(next - dueAt.getTime()).toBeLessThan(3_660_000);
  });

  it('starts no second job for a time that comes again, as after a clock that was set back', async () => {
    const { db, create, makeDue, fire, jobsOf, row } = bundle;
    const id = await create();
    const dueAt = await makeDue(id);
    await fire();
    await db.query('UPDATE schedules SET next_due_at = $2 WHERE id = $1', [id, dueAt]);
    await fire();
    expect(await jobsOf(id)).toMatchObject([{ scheduled_for: dueAt }]);
    expect((await row(id)).next_due_at?.getTime()).toBeGreaterThan(dueAt.getTime());
    const [job] = await jobsOf(id);
    const copy = db.query(
      `INSERT INTO jobs (id, organization_id, kind, version, queue, input, input_hash, triggered_by, max_attempts,
                         schedule_id, scheduled_for)
       SELECT gen_random_uuid(), organization_id, kind, version, queue, input, input_hash, triggered_by, max_attempts,
              schedule_id, scheduled_for FROM jobs WHERE id = $1`,
      [job?.id],
    );
    await expect(copy).rejects.toMatchObject({ constraint: 'jobs_schedule_due_once' });
  });

  it('that was to run once is finished and kept', async () => {
    const { create, makeDue, fire, jobsOf, row } = bundle;
    const id = await create({ timing: { once: { at: new Date(Date.now() + 3_600_000) } } });
    await makeDue(id);
    await fire();
    await fire();
    expect(await jobsOf(id)).toHaveLength(1);
    expect(await row(id)).toMatchObject({ next_due_at: null, last_error: null });
  });

  it('is skipped and says so while the job of its last time runs', async () => {
    const { create, makeDue, fire, jobsOf, row } = bundle;
    const id = await create({ kind: 'single', input: { key: 'a' } });
    const first = await makeDue(id, 60);
    await fire();
    const second = await makeDue(id, 10);
    await fire();
    expect(await jobsOf(id)).toMatchObject([{ scheduled_for: first }]);
    expect(await row(id)).toMatchObject({
      last_due_at: second,
      last_error: expect.stringMatching(/^Skipped: "Single" is under way already\. See job job_/),
    });
    expect((await row(id)).next_due_at?.getTime()).toBeGreaterThan(second.getTime());
  });

  it('does not start beside a job with other input, and says which', async () => {
    const { create, makeDue, fire, jobsOf, row } = bundle;
    const [one, other] = [
      await create({ kind: 'single', input: { key: 'a' } }),
      await create({ kind: 'single', input: { key: 'a', note: 'other' } }),
    ];
    await makeDue(one, 20);
    await makeDue(other, 10);
    await fire();
    expect(await jobsOf(one)).toHaveLength(1);
    expect(await jobsOf(other)).toEqual([]);
    expect((await row(other)).last_error).toMatch(/under way with other input, as job job_/);
  });

  it('whose input no longer fits tells why, moves on, and troubles no neighbour', async () => {
    const { db, create, makeDue, fire, jobsOf, row } = bundle;
    const [bad, good] = [await create(), await create()];
    await db.query(`UPDATE schedules SET input = '{"script": 5}' WHERE id = $1`, [bad]);
    const dueAt = await makeDue(bad, 60);
    await makeDue(good, 30);
    await fire();
    expect(await jobsOf(bad)).toEqual([]);
    expect(await row(bad)).toMatchObject({
      last_due_at: dueAt,
      last_error: expect.stringMatching(/^script: /),
    });
    expect((await row(bad)).next_due_at?.getTime()).toBeGreaterThan(dueAt.getTime());
    expect(await jobsOf(good)).toHaveLength(1);
    await db.query(`UPDATE schedules SET input = '{"script": "ok"}' WHERE id = $1`, [bad]);
    await makeDue(bad);
    await fire();
    expect(await row(bad)).toMatchObject({ last_error: null });
  });

  it('of a kind that no worker knows waits for one, without spinning and without losing its run', async () => {
    const { db, create, makeDue, fire, jobsOf, row } = bundle;
    const [unknown, good] = [await create(), await create()];
    await db.query(`UPDATE schedules SET kind = 'tomorrow' WHERE id = $1`, [unknown]);
    const dueAt = await makeDue(unknown, 60);
    await makeDue(good, 30);
    await fire();
    expect(await jobsOf(good)).toHaveLength(1);
    const waiting = await row(unknown);
    expect(waiting).toMatchObject({
      next_due_at: dueAt,
      last_error: 'No running worker knows jobs of kind "tomorrow". It waits for one.',
    });
    expect(waiting.retry_at).not.toBeNull();
    await fire();
    expect(await row(unknown)).toEqual(waiting);

    await db.query(`UPDATE schedules SET kind = 'scripted', retry_at = NULL WHERE id = $1`, [unknown]);
    await fire();
    expect(await jobsOf(unknown)).toHaveLength(1);
    expect(await row(unknown)).toMatchObject({ last_error: null, retry_at: null });
  });

  it('is left to the workers that know its version, while there are any', async () => {
    const { db, create, makeDue, fire, row } = bundle;
    const id = await create();
    await db.query('UPDATE schedules SET version = 7 WHERE id = $1', [id]);
    await db.query(
      `INSERT INTO workers (id, name, kinds, queues) VALUES (gen_random_uuid(), 'newer', '{"scripted": 7}', '{default}')`,
    );
    await makeDue(id);
    const before = await row(id);
    await fire();
    expect(await row(id)).toEqual(before);
  });

  it('starts nothing while it is paused, and goes on from now when it is resumed', async () => {
    const { db, create, makeDue, fire, jobsOf, row, target } = bundle;
    const id = await create();
    await makeDue(id, 60);
    await pauseSchedule(engine.jobs, target(id));
    await fire();
    expect(await jobsOf(id)).toEqual([]);
    expect((await row(id)).next_due_at).toBeNull();
    await resumeSchedule(engine.jobs, target(id));
    await fire();
    expect(await jobsOf(id)).toEqual([]);
    const { rows } = await db.query('SELECT 1 FROM schedules WHERE id = $1 AND next_due_at > now()', [id]);
    expect(rows).toHaveLength(1);
  });

  it('starts nothing once it is deleted, and its jobs stay', async () => {
    const { db, create, makeDue, fire, jobsOf, target } = bundle;
    const id = await create({ name: 'nightly' });
    await makeDue(id);
    await fire();
    await makeDue(id);
    await deleteSchedule(engine.jobs, target(id));
    await fire();
    const [job, ...more] = await jobsOf(id);
    expect(more).toEqual([]);
    expect((await readJob(db, job?.id ?? '')).status).toBe('pending');
    expect(await create({ name: 'nightly' })).not.toBe(id);
  });

  it('takes a new timing from now, and keeps its due time when the timing is the same', async () => {
    const { db, create, makeDue, row, target } = bundle;
    const id = await create();
    const dueAt = await makeDue(id, -1_000);
    await updateSchedule(engine.jobs, target(id), { name: 'renamed', timing: HOURLY });
    expect((await row(id)).next_due_at).toEqual(dueAt);
    await updateSchedule(engine.jobs, target(id), { timing: { every: { seconds: 600 } } });
    const { rows } = await db.query<{ seconds: number }>(
      'SELECT extract(epoch FROM next_due_at - now())::int AS seconds FROM schedules WHERE id = $1',
      [id],
    );
    expect(rows[0]?.seconds).toBeGreaterThan(590);
    expect(rows[0]?.seconds).toBeLessThanOrEqual(600);
  });

  it('keeps its due time when it is run by hand', async () => {
    const { create, jobsOf, row, target } = bundle;
    const id = await create();
    const before = await row(id);
    await runScheduleNow(engine.jobs, { ...target(id), triggeredBy: 'manual:ada' });
    expect(await jobsOf(id)).toMatchObject([{ scheduled_for: null, triggered_by: 'manual:ada' }]);
    expect(await row(id)).toEqual(before);
  });
});
