import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { ProviderError } from '../../../../src/connectors/provider-error.ts';
import { JobFailure } from '../../../../src/domain/errors.ts';
import { AttemptLostError } from '../../../../src/repositories/job-fence.ts';
import { createTestDatabase, type TestDatabase } from '../../../support/database.ts';
import { Gate } from '../../../support/gate.ts';
import { orderOf } from '../../../support/scripted-provider.ts';
import { createSyncBench } from './sync-bench.ts';

let database: TestDatabase;
beforeAll(async () => {
  database = await createTestDatabase();
});
afterAll(() => database.close());

const open = (orders?: number) => createSyncBench(database, orders);
const failureOf = async (running: Promise<unknown>): Promise<JobFailure> => {
  const error: unknown = await running.then(() => 'nothing was thrown').catch((thrown: unknown) => thrown);
  if (error instanceof JobFailure) return error;
  throw new Error(`expected a JobFailure, got ${String(error)}`);
};

describe('a sync', () => {
  it('writes every page with its facts and rollups, and says what it came to', async () => {
    const bench = await open(35);
    bench.world.things = [{ id: 'a' }, { id: 'b' }];
    const result = await bench.sync();
    expect(result).toEqual({
      pages: 5,
      changed: 37,
      unchanged: 0,
      removed: 0,
      rejected: 0,
      failedEntities: 0,
    });
    expect(await bench.figures()).toEqual({ gross: '358.75', orders: 35, records: 35, facts: 35 });
    expect(await bench.connection()).toMatchObject({ failure_code: null, refused_at: null });
    expect((await bench.connection())['synced_at']).toBeInstanceOf(Date);
    expect(await bench.entity('orders')).toMatchObject({ cursor: { next: 35 }, feeds: 'revenue' });
  });

  it('asks only for what is new the next time, and again changes nothing', async () => {
    const bench = await open(35);
    await bench.sync();
    bench.world.asked.length = 0;
    bench.world.orders.push(orderOf(35));
    expect(await bench.sync()).toMatchObject({ changed: 1 });
    expect(bench.world.asked).toEqual(['orders 1', 'things 1']);
    expect(await bench.sync()).toMatchObject({ changed: 0, unchanged: 0 });
    expect(await bench.figures()).toMatchObject({ orders: 36 });
  });

  it('reads everything again when asked to, once for all its attempts, and doubles nothing', async () => {
    const bench = await open(35);
    await bench.sync();
    bench.world.asked.length = 0;
    const job = await bench.job({ full: true });
    bench.world.beforePage = (entity, page) =>
      entity === 'orders' && page === 3
        ? Promise.reject(new ProviderError('transient', 'Scripted is away.'))
        : Promise.resolve();
    await failureOf(bench.attempt(job));
    bench.world.beforePage = () => Promise.resolve();
    await bench.attempt(job);
    expect(bench.world.asked.filter((page) => page.startsWith('orders'))).toEqual([
      'orders 1',
      'orders 2',
      'orders 3',
      'orders 1',
      'orders 2',
    ]);
    expect(await bench.figures()).toEqual({ gross: '358.75', orders: 35, records: 35, facts: 35 });
  });

  it('goes on behind the last written page after its worker was lost, and the lost one writes nothing more', async () => {
    const bench = await open(35);
    const job = await bench.job();
    const reached = new Gate();
    const gate = new Gate();
    bench.world.beforePage = (_entity, page) => {
      if (page !== 3) return Promise.resolve();
      reached.open();
      return gate.opened;
    };
    const lost = bench.attempt(job);
    lost.catch(() => undefined);
    await reached.opened;
    bench.world.beforePage = () => Promise.resolve();
    const result = await bench.attempt(job);
    expect(result.pages).toBeGreaterThanOrEqual(4);
    gate.open();
    await expect(lost).rejects.toBeInstanceOf(AttemptLostError);
    expect(await bench.figures()).toEqual({ gross: '358.75', orders: 35, records: 35, facts: 35 });
  });

  it('ends within a page when it is cancelled', async () => {
    const bench = await open(35);
    const cancel = new AbortController();
    const reached = new Gate();
    bench.world.beforePage = (_entity, page, signal) => {
      if (page < 2) return Promise.resolve();
      reached.open();
      return new Promise((_, reject) => {
        signal.addEventListener('abort', () => reject(new Error('aborted')), { once: true });
      });
    };
    const running = bench.attempt(await bench.job(), cancel.signal);
    running.catch(() => undefined);
    await reached.opened;
    cancel.abort(new Error('cancelled'));
    await expect(running).rejects.toThrow('cancelled');
  });

  it('removes what a scan of everything no longer lists, and nothing when the scan was broken off', async () => {
    const bench = await open(0);
    bench.world.things = Array.from({ length: 25 }, (_, index) => ({ id: `t${index}` }));
    await bench.sync();
    bench.world.things = bench.world.things.filter((_, index) => index % 2 === 0);
    bench.world.beforePage = (entity, page) =>
      entity === 'things' && page === 2
        ? Promise.reject(new ProviderError('bad_request', 'No.'))
        : Promise.resolve();
    await bench.sync();
    const things = async (): Promise<number> => {
      const { rows } = await database.db.query<{ count: number }>(
        `SELECT count(*)::int FROM source_records WHERE connection_id = $1 AND entity = 'things'`,
        [bench.connectionId],
      );
      return rows[0]?.count ?? 0;
    };
    expect(await things()).toBe(25);
    bench.world.beforePage = () => Promise.resolve();
    expect(await bench.sync()).toMatchObject({ removed: 12 });
    expect(await things()).toBe(13);
  });

  it('rejects a record that makes no sense and keeps the others', async () => {
    const bench = await open(5);
    bench.world.orders.splice(2, 0, { id: 'broken', at: 'yesterday', gross: '1' });
    const job = await bench.job();
    expect(await bench.attempt(job)).toMatchObject({ changed: 5, rejected: 1 });
    expect(await job.counts()).toMatchObject({ processed: 6, succeeded: 5, failed: 1 });
    const { rows } = await database.db.query('SELECT key, code FROM job_items WHERE job_id = $1', [job.id]);
    expect(rows).toEqual([{ key: 'broken', code: 'INVALID_RECORD' }]);
  });

  it('writes nothing more of an account that was disconnected meanwhile', async () => {
    const bench = await open(35);
    bench.world.beforePage = async (_entity, page) => {
      if (page === 2)
        await database.db.query('UPDATE connections SET disconnected_at = now() WHERE id = $1', [
          bench.connectionId,
        ]);
    };
    expect(await failureOf(bench.sync())).toMatchObject({ code: 'SOURCE_EXPIRED', next: { type: 'never' } });
    expect((await bench.figures()).records).toBeLessThanOrEqual(10);
  });

  it('warns of a cursor that has not moved for three runs and more than a day, although records came', async () => {
    const bench = await open(0);
    bench.world.things = [{ id: 't' }];
    await bench.sync({ entities: ['things'] });
    // Each run ends where it began, with a thing that was not there before.
    const runAgain = async (id: string): Promise<unknown[]> => {
      bench.world.things = [{ id }];
      const job = await bench.job({ entities: ['things'] });
      await bench.attempt(job);
      await job.settle('completed');
      const { rows } = await database.db.query('SELECT key, code FROM job_items WHERE job_id = $1', [job.id]);
      return rows;
    };
    const age = (time: string) =>
      database.db.query(
        `UPDATE connection_cursors SET updated_at = now() - $2::interval WHERE connection_id = $1`,
        [bench.connectionId, time],
      );
    await age('1 hour');
    for (const id of ['u', 'v', 'w', 'x']) expect(await runAgain(id)).toEqual([]);
    await age('2 days');
    expect(await runAgain('y')).toEqual([{ key: 'things', code: 'CURSOR_STUCK' }]);
    expect(await bench.entity('things')).toMatchObject({ stuck_runs: 5 });
  });
});

describe('a provider that gets in the way', () => {
  it('is waited for without a worker when it asks for a pause, and is asked only for what is left', async () => {
    const bench = await open(35);
    const job = await bench.job();
    const resumeAt = new Date(Date.now() + 120_000);
    bench.world.beforePage = (_entity, page) =>
      page === 3
        ? Promise.reject(new ProviderError('rate_limited', 'Slow down.', { resumeAt }))
        : Promise.resolve();
    const failure = await failureOf(bench.attempt(job));
    expect(failure.next).toMatchObject({ type: 'snooze' });
    if (failure.next.type === 'snooze') expect(failure.next.afterMs).toBeGreaterThan(100_000);
    expect(await bench.figures()).toMatchObject({ records: 20 });
    bench.world.beforePage = () => Promise.resolve();
    bench.world.asked.length = 0;
    await bench.attempt(job);
    expect(bench.world.asked).toEqual(['orders 1', 'orders 2', 'things 1']);
    expect(await bench.figures()).toMatchObject({ records: 35, orders: 35 });
  });

  it('ends the sync early when it wants to be left alone for hours; another goes on then', async () => {
    const bench = await open(35);
    const resumeAt = new Date(Date.now() + 5 * 3_600_000);
    bench.world.beforePage = (_entity, page) =>
      page === 2
        ? Promise.reject(new ProviderError('rate_limited', 'The quota is used up.', { resumeAt }))
        : Promise.resolve();
    const job = await bench.job();
    expect(await bench.attempt(job)).toMatchObject({ pages: 1, changed: 10 });
    expect(await job.counts()).toMatchObject({ warned: 1 });
    expect(await bench.connection()).toMatchObject({ next_sync_at: resumeAt, synced_at: null });
  });

  it('has its credentials refused once: the job fails, and nothing is due until it is connected anew', async () => {
    const bench = await open(5);
    bench.world.beforePage = () => Promise.reject(new ProviderError('auth_expired', 'The key was revoked.'));
    expect(await failureOf(bench.sync())).toMatchObject({
      code: 'PROVIDER_AUTH',
      message: 'The key was revoked.',
      next: { type: 'never' },
    });
    const connection = await bench.connection();
    expect(connection).toMatchObject({ next_sync_at: null, failure_code: 'PROVIDER_AUTH' });
    expect(connection['refused_at']).toBeInstanceOf(Date);
  });

  it('lacks one permission: what it is for is passed by, the rest is read, and the permission is named', async () => {
    const bench = await open(5);
    bench.world.things = [{ id: 'a' }];
    bench.world.beforePage = (entity) =>
      entity === 'orders'
        ? Promise.reject(new ProviderError('forbidden_scope', 'No orders for you.', { scope: 'read_orders' }))
        : Promise.resolve();
    const job = await bench.job();
    expect(await bench.attempt(job)).toMatchObject({ changed: 1, failedEntities: 1 });
    expect(await job.counts()).toMatchObject({ warned: 1, failed: 0 });
    expect(await bench.connection()).toMatchObject({
      missing_scopes: ['read_orders'],
      failure_code: 'PROVIDER_FORBIDDEN',
      refused_at: null,
    });
    expect(await bench.entity('orders')).toMatchObject({ failure_code: 'PROVIDER_FORBIDDEN' });
    expect((await bench.entity('things'))['synced_at']).toBeInstanceOf(Date);
    await bench.sync({ entities: ['things'] });
    expect(await bench.connection()).toMatchObject({ failure_code: 'PROVIDER_FORBIDDEN' });
  });

  it('is away for one thing: the others are read, the job tries again, and all is well then', async () => {
    const bench = await open(5);
    bench.world.things = [{ id: 'a' }];
    bench.world.beforePage = (entity) =>
      entity === 'orders'
        ? Promise.reject(new ProviderError('transient', 'Scripted is away.'))
        : Promise.resolve();
    const job = await bench.job();
    expect(await failureOf(bench.attempt(job))).toMatchObject({
      code: 'PROVIDER_UNAVAILABLE',
      next: { type: 'retry' },
    });
    expect(await bench.entity('orders')).toMatchObject({ failure_code: 'PROVIDER_UNAVAILABLE' });
    bench.world.beforePage = () => Promise.resolve();
    bench.world.asked.length = 0;
    await bench.attempt(job);
    expect(bench.world.asked).toEqual(['orders 1']);
    expect(await bench.entity('orders')).toMatchObject({ failure_code: null });
    expect(await bench.connection()).toMatchObject({ failure_code: null });
  });

  it('is timed, page by page, for whoever asks how it answers', async () => {
    const bench = await open(35);
    await bench.sync();
    await bench.sync();
    const { rows } = await database.db.query<{ pages: number; failures: number; timed: number }>(
      `SELECT pages::int, failures::int, (SELECT sum(value::int)::int FROM jsonb_each_text(latency)) AS timed
       FROM provider_days WHERE organization_id = $1 AND provider = 'scripted'`,
      [bench.organization.id],
    );
    expect(rows).toEqual([{ pages: 7, failures: 0, timed: 7 }]);
  });
});
