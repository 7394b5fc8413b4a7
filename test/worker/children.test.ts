import { z } from 'zod';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { JobFailure } from '../../src/domain/errors.ts';
import { cancelJob } from '../../src/queue/cancel.ts';
import { pendingReasons } from '../../src/queue/pending-reason.ts';
import { startJob } from '../../src/queue/start.ts';
import { BROKERS, startEngine, type Engine } from '../support/engine.ts';
import { Gate } from '../support/gate.ts';
import { jobIn, readJob, settled } from '../support/jobs.ts';
import { testCatalogue, testHandlers, untilAborted, type Script } from '../support/kinds.ts';
import { waitFor } from '../support/wait.ts';
import type { FailedChildren, JobContext } from '../../worker/context.ts';

describe.each(BROKERS)('a parent, with deliveries on %s', (broker) => {
  const scripts: Record<string, Script> = {};
  let engine: Engine;
  beforeAll(async () => {
    engine = await startEngine({ broker, catalogue: testCatalogue, handlers: testHandlers(scripts) });
    await engine.startWorker();
  });
  afterAll(() => engine.close());

  const db = () => engine.database.db;
  const start = async (script: string): Promise<string> => {
    const { organization, jobs } = engine;
    const request = {
      organizationId: organization.id,
      kind: 'scripted',
      input: { script },
      triggeredBy: 'manual:test',
    };
    return (await startJob(jobs, request)).jobId;
  };
  const childrenOf = async (id: string) => {
    const { rows } = await db().query<{ id: string; status: string }>(
      'SELECT id, status FROM jobs WHERE parent_id = $1 ORDER BY id',
      [id],
    );
    return rows;
  };
  /** Starts the children by their scripts, once, and waits for them. */
  const parent =
    (children: readonly string[], failed: FailedChildren): Script =>
    async (ctx: JobContext) => {
      await ctx.step('start', z.array(z.string()), async (tx) => {
        const ids: string[] = [];
        for (const script of children) ids.push(await tx.enqueue(testCatalogue.scripted, { script }));
        return ids;
      });
      return (await ctx.children(failed)).map(({ status }) => status).join(' ');
    };

  it('waits for its children without a worker, and goes on when the last is settled', async () => {
    const gate = new Gate();
    scripts['slow child'] = async () => {
      await gate.opened;
      return 'child';
    };
    scripts['quick child'] = async () => 'child';
    scripts['parent'] = parent(['quick child', 'slow child', 'slow child'], 'fail');
    const id = await start('parent');
    await waitFor(async () => (await childrenOf(id)).length === 3);
    const waiting = await jobIn(db(), id, ['pending']);
    expect(waiting).toMatchObject({ attempt: 0, worker_id: null });
    const reason = await waitFor(async () => (await pendingReasons(db(), [id])).get(id));
    expect(reason).toMatchObject({ code: 'WAITING_FOR_CHILDREN', until: null });
    gate.open();
    expect(await settled(db(), id)).toMatchObject({
      status: 'completed',
      attempt: 1,
      result: { value: 'completed completed completed' },
    });
    expect(await childrenOf(id)).toHaveLength(3);
  });

  it('whose children are settled before it waits does not wait', async () => {
    scripts['quick child'] = async () => 'child';
    scripts['late parent'] = async (ctx) => {
      const ids = await ctx.step('start', z.array(z.string()), async (tx) => [
        await tx.enqueue(testCatalogue.scripted, { script: 'quick child' }),
      ]);
      await settled(db(), ids[0] ?? '');
      return String((await ctx.children('fail')).length);
    };
    const id = await start('late parent');
    expect(await settled(db(), id)).toMatchObject({
      status: 'completed',
      result: { value: '1' },
      delivery: 2,
    });
  });

  it('starts many children together, and leaves out what a live job does already', async () => {
    const [taken, free] = [`taken on ${broker}`, `free on ${broker}`];
    const organizationId = engine.organization.id;
    const request = { organizationId, kind: 'single', input: { key: taken }, triggeredBy: 'manual:test' };
    const other = await startJob(engine.jobs, request);
    scripts['parent of many'] = async (ctx) => {
      await ctx.step('start', z.null(), async (tx) => {
        await tx.enqueueAll(testCatalogue.single, [{ key: taken, note: 'otherwise' }, { key: free }]);
        await tx.enqueueAll(testCatalogue.single, []);
        return null;
      });
      return (await ctx.children('warn')).map(({ status }) => status).join(' ');
    };
    const id = await start('parent of many');
    await waitFor(async () => (await childrenOf(id)).length > 0);
    const [child, ...more] = await childrenOf(id);
    expect(more).toEqual([]);
    await jobIn(db(), child?.id ?? '', ['running']);
    const cancel = (jobId: string) =>
      cancelJob(engine.jobs, { organizationId, jobId, by: 'manual:test', reason: null });
    await cancel(child?.id ?? '');
    expect(await settled(db(), id)).toMatchObject({ result: { value: 'cancelled' } });
    expect(await readJob(db(), other.jobId)).toMatchObject({ parent_id: null });
    await cancel(other.jobId);
  });

  it('fails with CHILD_FAILED, or ends with a warning, as it chooses', async () => {
    scripts['bad child'] = () => Promise.reject(JobFailure.permanent('INVALID_FILE', 'No CSV.'));
    scripts['quick child'] = async () => 'child';
    scripts['strict'] = parent(['bad child', 'quick child'], 'fail');
    scripts['lenient'] = parent(['bad child', 'quick child'], 'warn');
    const [strict, lenient] = [await start('strict'), await start('lenient')];
    expect(await settled(db(), strict)).toMatchObject({
      status: 'failed',
      error_code: 'CHILD_FAILED',
      error_message: expect.stringContaining('No CSV.'),
    });
    expect(await settled(db(), lenient)).toMatchObject({
      status: 'completed_with_warnings',
      item_count: 1,
      result: { value: 'failed completed' },
    });
  });

  it('that is cancelled takes its children with it, waiting and running ones', async () => {
    const begun = new Gate();
    scripts['running child'] = (ctx) => {
      begun.open();
      return untilAborted(ctx.signal);
    };
    scripts['doomed'] = parent(['running child'], 'fail');
    const id = await start('doomed');
    await begun.opened;
    await waitFor(async () => (await readJob(db(), id)).status === 'pending');
    const { jobs, organization } = engine;
    await cancelJob(jobs, {
      organizationId: organization.id,
      jobId: id,
      by: 'manual:test',
      reason: 'enough',
    });
    expect(await readJob(db(), id)).toMatchObject({ status: 'cancelled', cancel_reason: 'enough' });
    const [child] = await childrenOf(id);
    expect(await settled(db(), child?.id ?? '')).toMatchObject({ status: 'cancelled' });
  });

  it('hears of a child that was cancelled alone', async () => {
    const begun = new Gate();
    scripts['cancelled child'] = (ctx) => {
      begun.open();
      return untilAborted(ctx.signal);
    };
    scripts['hearing'] = parent(['cancelled child'], 'warn');
    const id = await start('hearing');
    await begun.opened;
    const [child] = await childrenOf(id);
    const { jobs, organization } = engine;
    const request = {
      organizationId: organization.id,
      jobId: child?.id ?? '',
      by: 'manual:test',
      reason: null,
    };
    await cancelJob(jobs, request);
    expect(await settled(db(), id)).toMatchObject({
      status: 'completed_with_warnings',
      result: { value: 'cancelled' },
    });
  });

  it('that nobody woke is found by the sweep', async () => {
    scripts['quick child'] = async () => 'child';
    scripts['forgotten'] = parent(['quick child'], 'fail');
    const id = await start('forgotten');
    expect(await settled(db(), id)).toMatchObject({ status: 'completed' });
    // What a crash between the child's commit and the parent's waking leaves behind.
    await db().query(
      `UPDATE jobs SET status = 'pending', completed_at = NULL, waiting_for = 'children', due_at = 'infinity', result = NULL
       WHERE id = $1`,
      [id],
    );
    expect(await settled(db(), id)).toMatchObject({ status: 'completed', result: { value: 'completed' } });
  });

  it('starts no child when the transaction that would does not commit', async () => {
    scripts['quick child'] = async () => 'child';
    scripts['rolling back'] = async (ctx) => {
      if (ctx.attempt === 1) {
        await ctx.transaction(async (tx) => {
          await tx.enqueue(testCatalogue.scripted, { script: 'quick child' });
          throw new Error('rolls back');
        });
      }
      return String((await ctx.children('fail')).length);
    };
    expect(await settled(db(), await start('rolling back'))).toMatchObject({
      status: 'completed',
      attempt: 2,
      result: { value: '0' },
    });
  });
});
