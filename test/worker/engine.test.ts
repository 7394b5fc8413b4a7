import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { JobFailure } from '../../src/domain/errors.ts';
import { cancelJob } from '../../src/queue/cancel.ts';
import { retryJob } from '../../src/queue/retry.ts';
import { startJob } from '../../src/queue/start.ts';
import { BROKERS, startEngine, type Engine } from '../support/engine.ts';
import { Gate } from '../support/gate.ts';
import { eventsOf, jobIn, readJob, settled } from '../support/jobs.ts';
import { testCatalogue, testHandlers, untilAborted, type Script } from '../support/kinds.ts';

describe.each(BROKERS)('an attempt, with deliveries on %s', (broker) => {
  const scripts: Record<string, Script> = {};
  let engine: Engine;
  beforeAll(async () => {
    engine = await startEngine({ broker, catalogue: testCatalogue, handlers: testHandlers(scripts) });
    await engine.startWorker();
  });
  afterAll(() => engine.close());

  const start = async (name: string, script: Script, options = {}): Promise<string> => {
    scripts[name] = script;
    const { organization, jobs } = engine;
    const started = await startJob(jobs, {
      organizationId: organization.id,
      kind: 'scripted',
      input: { script: name },
      triggeredBy: 'manual:test',
      options,
    });
    return started.jobId;
  };
  const db = () => engine.database.db;

  it('runs the handler once and keeps its result', async () => {
    let runs = 0;
    const id = await start('plain', async () => `run ${++runs}`);
    expect(await settled(db(), id)).toMatchObject({
      status: 'completed',
      attempt: 1,
      result: { value: 'run 1' },
    });
    expect(await eventsOf(db(), id)).toEqual(['pending', 'running', 'completed']);
  });

  it('is tried again after a failure until it succeeds', async () => {
    const id = await start('flaky', async ({ attempt }) => {
      if (attempt < 3) throw JobFailure.retryable('PROVIDER_UNAVAILABLE', `away in attempt ${attempt}`);
      return 'third time lucky';
    });
    expect(await settled(db(), id)).toMatchObject({ status: 'completed', attempt: 3, error_code: null });
    expect(await eventsOf(db(), id)).toEqual([
      'pending',
      'running',
      'pending',
      'running',
      'pending',
      'running',
      'completed',
    ]);
    const { rows } = await db().query(
      'SELECT number, outcome::text FROM job_attempts WHERE job_id = $1 ORDER BY delivery',
      [id],
    );
    expect(rows).toEqual([
      { number: 1, outcome: 'failed' },
      { number: 2, outcome: 'failed' },
      { number: 3, outcome: 'completed' },
    ]);
  });

  it('fails for good after maxAttempts, with a text that hides the cause', async () => {
    const id = await start('broken', () => Promise.reject(new Error('secret cause')));
    const job = await settled(db(), id);
    expect(job).toMatchObject({ status: 'failed', attempt: 3, error_code: 'INTERNAL' });
    expect(job.error_message).not.toContain('secret cause');
  });

  it('fails at once when no later attempt can succeed', async () => {
    const id = await start('hopeless', () =>
      Promise.reject(JobFailure.permanent('INVALID_FILE', 'This is no CSV.')),
    );
    expect(await settled(db(), id)).toMatchObject({
      status: 'failed',
      attempt: 1,
      error_code: 'INVALID_FILE',
    });
  });

  it('that a provider asks to pause waits as long as it says, holding no worker and using no attempt', async () => {
    let runs = 0;
    const id = await start('throttled', async ({ attempt }) => {
      runs += 1;
      if (runs < 3) throw JobFailure.rateLimited('The shop asks for a pause.', 150);
      return `attempt ${attempt}`;
    });
    expect(await settled(db(), id)).toMatchObject({ status: 'completed', result: { value: 'attempt 1' } });
    const { rows } = await db().query(
      'SELECT outcome::text, error_code FROM job_attempts WHERE job_id = $1 ORDER BY delivery',
      [id],
    );
    expect(rows).toEqual([
      { outcome: 'snoozed', error_code: 'PROVIDER_UNAVAILABLE' },
      { outcome: 'snoozed', error_code: 'PROVIDER_UNAVAILABLE' },
      { outcome: 'completed', error_code: null },
    ]);
  });

  it('whose signal fires in the middle of a statement ends it at once and writes nothing', async () => {
    const begun = new Gate();
    let endedAfterMs = Number.POSITIVE_INFINITY;
    const id = await start('long statement', async (ctx) => {
      const abortedAt = new Promise<number>((resolve) => {
        ctx.signal.addEventListener('abort', () => resolve(performance.now()), { once: true });
      });
      try {
        await ctx.transaction(async (tx) => {
          tx.count({ processed: 1 });
          begun.open();
          await tx.query('SELECT pg_sleep(30)');
        });
      } finally {
        endedAfterMs = performance.now() - (await abortedAt);
      }
      return 'never';
    });
    await begun.opened;
    const { organization, jobs } = engine;
    await cancelJob(jobs, { organizationId: organization.id, jobId: id, by: 'manual:test', reason: null });
    expect(await settled(db(), id)).toMatchObject({ status: 'cancelled', count_processed: 0 });
    expect(endedAfterMs).toBeLessThan(1_000);
  });

  it('does not run a step again that an earlier attempt finished', async () => {
    let effects = 0;
    const id = await start('steps', async (ctx) => {
      const { z } = await import('zod');
      const value = await ctx.step('first', z.string(), async () => `effect ${++effects}`);
      if (ctx.attempt === 1) throw new Error('dies after the step');
      return value;
    });
    expect(await settled(db(), id)).toMatchObject({ status: 'completed', result: { value: 'effect 1' } });
    expect(effects).toBe(1);
  });

  it('resumes at the checkpoint that was committed with its rows', async () => {
    const id = await start('resume', async (ctx) => {
      const { z } = await import('zod');
      const from = (await ctx.resume(z.object({ at: z.int() })))?.at ?? 0;
      await ctx.transaction(async (tx) => {
        tx.count({ processed: 5, succeeded: 5 });
        tx.checkpoint({ at: from + 5 });
      });
      if (ctx.attempt === 1) throw new Error('dies after the batch');
      return `from ${from}`;
    });
    expect(await settled(db(), id)).toMatchObject({
      status: 'completed',
      count_processed: 10,
      result: { value: 'from 5' },
    });
  });

  it('with rejected rows ends with warnings, a ledger and one WARNING per batch', async () => {
    const id = await start('rows', async (ctx) => {
      await ctx.transaction(async (tx) => {
        tx.items([
          {
            row: 2,
            column: 'Price',
            value: 'abc',
            code: 'NOT_A_NUMBER',
            message: 'Price is not a number',
            outcome: 'failed',
          },
          { row: 5, code: 'MISSING', message: 'No handle', outcome: 'failed' },
        ]);
        tx.count({ processed: 4, succeeded: 2, failed: 2 });
      });
      return 'done';
    });
    expect(await settled(db(), id)).toMatchObject({ status: 'completed_with_warnings', item_count: 2 });
    expect(await eventsOf(db(), id)).toContain('warning: Row 2: Price is not a number (and 1 more)');
    const { rows } = await db().query(
      'SELECT ordinal, row, code FROM job_items WHERE job_id = $1 ORDER BY ordinal',
      [id],
    );
    expect(rows).toEqual([
      { ordinal: 1, row: 2, code: 'NOT_A_NUMBER' },
      { ordinal: 2, row: 5, code: 'MISSING' },
    ]);
  });

  it('that was cancelled while it runs is told so and is not retried', async () => {
    const begun = new Gate();
    const id = await start('cancelled', async (ctx) => {
      begun.open();
      return untilAborted(ctx.signal);
    });
    await begun.opened;
    const { organization, jobs } = engine;
    const result = await cancelJob(jobs, {
      organizationId: organization.id,
      jobId: id,
      by: 'manual:test',
      reason: 'wrong file',
    });
    expect(result).toEqual({ jobId: id, error: null });
    expect(await settled(db(), id)).toMatchObject({
      status: 'cancelled',
      attempt: 1,
      cancel_reason: 'wrong file',
    });
    const events = await eventsOf(db(), id);
    expect(events).toContain('log: Cancel requested by manual:test: wrong file');
    expect(events.at(-1)).toBe('cancelled');
  });

  it('that was cancelled is told so within a second, and its programs end with it', async () => {
    const begun = new Gate();
    const id = await start('program', async (ctx) => {
      const options = { cwd: '/', env: { PATH: '/usr/bin:/bin' }, onLine: () => begun.open() };
      await ctx.run(['sh', '-c', 'echo begun; exec sleep 60'], options);
      return 'never';
    });
    await begun.opened;
    const { organization, jobs } = engine;
    await cancelJob(jobs, { organizationId: organization.id, jobId: id, by: 'manual:test', reason: null });
    const job = await settled(db(), id);
    expect(job.status).toBe('cancelled');
    const { rows } = await db().query<{ ms: number }>(
      `SELECT extract(epoch FROM cancel_acknowledged_at - cancel_requested_at)::float * 1000 AS ms FROM jobs WHERE id = $1`,
      [id],
    );
    expect(rows[0]?.ms).toBeLessThan(1_000);
  });

  it('that was cancelled while it waits never runs', async () => {
    let ran = false;
    const id = await start('later', async () => String((ran = true)), {
      runAt: new Date(Date.now() + 3_600_000),
    });
    const { organization, jobs } = engine;
    await cancelJob(jobs, { organizationId: organization.id, jobId: id, by: 'manual:test', reason: null });
    expect(await readJob(db(), id)).toMatchObject({ status: 'cancelled', attempt: 0 });
    expect(ran).toBe(false);
  });

  it('cannot write once the job is no longer its own', async () => {
    const begun = new Gate();
    const taken = new Gate();
    const ended = new Gate();
    let error: unknown;
    const id = await start('zombie', async (ctx) => {
      if (ctx.attempt > 1) return 'second';
      begun.open();
      await taken.opened;
      error = await ctx
        .transaction(async (tx) => tx.count({ processed: 1_000 }))
        .catch((thrown: unknown) => thrown);
      ended.open();
      throw new Error('zombie ends');
    });
    await begun.opened;
    // What a rescuer does: the fence is raised, and the job waits for another attempt.
    await db().query(
      `UPDATE jobs SET status = 'pending', delivery = delivery + 1, delivered_at = NULL, worker_id = NULL WHERE id = $1`,
      [id],
    );
    taken.open();
    await ended.opened;
    expect(error).toMatchObject({ name: expect.stringMatching(/AttemptLostError|AttemptStopped/) });
    expect(await settled(db(), id)).toMatchObject({
      status: 'completed',
      count_processed: 0,
      result: { value: 'second' },
    });
  });

  it('that takes longer than its kind allows is timed out', async () => {
    const { organization, jobs } = engine;
    const { jobId } = await startJob(jobs, {
      organizationId: organization.id,
      kind: 'hasty',
      input: {},
      triggeredBy: 'manual:test',
    });
    expect(await settled(db(), jobId)).toMatchObject({ status: 'failed', error_code: 'TIMEOUT' });
  });

  it('writes progress and log lines into the event log, numbered without holes', async () => {
    const id = await start('talkative', async (ctx) => {
      ctx.log.info('hello');
      ctx.progress(1, 2, 'half way');
      return 'done';
    });
    await settled(db(), id);
    expect(await eventsOf(db(), id)).toEqual([
      'pending',
      'running',
      'log: hello',
      'progress: half way',
      'completed',
    ]);
  });

  it('numbers no more than 10,000 events and one that says so, but always the status', async () => {
    const id = await start('flood', async (ctx) => {
      await ctx.db.query('UPDATE jobs SET last_seq = 9999 WHERE id = $1', [ctx.jobId]);
      await ctx.db.query(
        `INSERT INTO job_events (job_id, seq, type, attempt, status) SELECT $1, n, 'log', 1, 'running' FROM generate_series(3, 9999) n`,
        [ctx.jobId],
      );
      for (let line = 0; line < 50; line += 1) ctx.log.info(`line ${line}`);
      return 'done';
    });
    await settled(db(), id);
    const events = await eventsOf(db(), id);
    expect(events).toHaveLength(10_002);
    expect(events.slice(-3)).toEqual([
      'log: line 0',
      'log: Further progress, log lines and warnings of this job are not kept.',
      'completed',
    ]);
  });

  it('of a fresh run with the same input leaves the old job as it was', async () => {
    const id = await start('again', async () => 'once');
    const before = await settled(db(), id);
    const { organization, jobs } = engine;
    const retried = await retryJob(jobs, {
      organizationId: organization.id,
      jobId: id,
      triggeredBy: 'manual:test',
    });
    expect(retried.jobId).not.toBe(id);
    expect(await settled(db(), retried.jobId)).toMatchObject({ status: 'completed' });
    expect(await readJob(db(), id)).toEqual(before);
  });

  it('is not begun by a delivery that is not the newest', async () => {
    let runs = 0;
    const id = await start('doubled', async () => `run ${++runs}`);
    await settled(db(), id);
    await engine.jobs.queue.deliver('default', [{ jobId: id, delivery: 99, priority: 1 }]);
    const other = await start('after', async () => 'after');
    await jobIn(db(), other, ['completed']);
    expect(runs).toBe(1);
  });
});
