import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { newUuid, toPublicId } from '../../src/domain/ids.ts';
import { rollQueueStats } from '../../src/repositories/queue-stats.ts';
import { startApi, type TestApi } from '../support/api.ts';
import { seedJob } from '../support/job-rows.ts';
import { readsDuring } from '../support/statements.ts';

let api: TestApi;
beforeAll(async () => {
  api = await startApi();
});
afterAll(() => api.close());
beforeEach(() => run('DELETE FROM jobs').then(() => run(`UPDATE queues SET paused_at = NULL, paused_by = NULL, pause_reason = NULL,
  draining = false, concurrency = NULL, changed_at = NULL, changed_by = NULL`))); // prettier-ignore

const run = (sql: string, ...values: unknown[]) =>
  api.database.db.query<Record<string, unknown>>(sql, values);
const QUEUE = 'name state pausedAt pauseReason pausedBy concurrency changedAt changedBy';
const PAYLOAD = `{ queue { ${QUEUE} } userErrors { code field message } }`;
const change = async (call: string, role: Parameters<TestApi['ask']>[2] = 'admin') =>
  api.ask(`mutation { change: ${call} ${PAYLOAD} }`, {}, role);
const states = async () => {
  const { data } = await api.ask('{ queues { name state } }');
  return (data?.['queues'] as { name: string; state: string }[]).map(({ name, state }) => `${name} ${state}`);
};

describe('queues', () => {
  test('are three, in an order of their own, and the system’s is none of them', async () => {
    expect(await states()).toEqual(['default ACTIVE', 'long_running ACTIVE', 'scheduled ACTIVE']);
  });

  test('tell the live jobs of the caller’s organization, and of no other', async () => {
    const { id } = api.organization;
    await seedJob(api.database.db, id, { queue: 'default', status: 'pending' });
    await seedJob(api.database.db, id, { queue: 'default', status: 'running' });
    await seedJob(api.database.db, id, { queue: 'default', status: 'failed' });
    const later = await seedJob(api.database.db, id, { queue: 'default', status: 'pending' });
    await run(`UPDATE jobs SET due_at = now() + interval '1 hour' WHERE id = $1`, later.uuid);
    const next = await seedJob(api.database.db, id, { queue: 'default', status: 'pending' });
    await run('UPDATE jobs SET delivered_at = now() WHERE id = $1', next.uuid);
    const query = '{ queues { counts { pending due delayed delivered running } } }';
    const own = await api.ask(query);
    expect(own.data).toMatchObject({
      queues: [
        { counts: { pending: 3, due: 1, delayed: 1, delivered: 1, running: 1 } },
        { counts: { pending: 0, due: 0, delayed: 0, delivered: 0, running: 0 } },
        {},
      ],
    });
    const strange = await api.ask(query, {}, 'stranger');
    expect(strange.data).toMatchObject({ queues: [{ counts: { pending: 0, running: 0 } }, {}, {}] });
  });

  test('tell what went through them, how fast, and how long it took', async () => {
    const job = await seedJob(api.database.db, api.organization.id, { queue: 'default', status: 'failed' });
    await run(
      `UPDATE jobs SET created_at = now() - interval '12 s', started_at = now() - interval '10 s', completed_at = now() WHERE id = $1`,
      job.uuid,
    );
    await run(
      `INSERT INTO job_attempts (job_id, delivery, number, worker, started_at, ended_at) VALUES ($1, 1, 1, 'w', now() - interval '10 s', now())`,
      job.uuid,
    );
    await run(`UPDATE upkeep_marks SET at = at - interval '11 seconds'`);
    await rollQueueStats(api.database.db);
    const figures =
      'finishedCount failedCount finishedPerMinute failedPerMinute wait { p50Ms p95Ms p99Ms } run { p50Ms p95Ms p99Ms }';
    const query = `{ queues { metrics { ${figures} } hour: metrics(window: LAST_HOUR) { finishedCount } day: metrics(window: LAST_24_HOURS) { finishedCount } } }`;
    const { data, errors } = await api.ask(query);
    expect(errors).toEqual([]);
    const [queue, other] = data?.['queues'] as [{ metrics: Record<string, Record<string, number>> }, unknown];
    expect(queue).toMatchObject({
      metrics: { finishedCount: 1, failedCount: 1 },
      hour: { finishedCount: 1 },
      day: { finishedCount: 1 },
    });
    expect(queue.metrics['finishedPerMinute']).toBeCloseTo(1 / 14.5, 2);
    expect(Math.abs((queue.metrics['wait']?.['p95Ms'] ?? 0) - 2_000)).toBeLessThan(200);
    expect(Math.abs((queue.metrics['run']?.['p99Ms'] ?? 0) - 10_000)).toBeLessThan(1_000);
    expect(other).toMatchObject({ metrics: { finishedCount: 0, wait: null, run: null } });
    const strange = await api.ask('{ queues { metrics { finishedCount } } }', {}, 'stranger');
    expect(strange.data).toMatchObject({ queues: [{ metrics: { finishedCount: 0 } }, {}, {}] });
  });

  test('cost as many statements with all that belongs to them as one field of each', async () => {
    const all =
      '{ queues { name counts { pending } metrics { finishedCount } workers { name runningCount } } }';
    await api.ask(all);
    const statements = await readsDuring(() => api.ask(all));
    expect(statements.length, statements.join('\n')).toBeLessThanOrEqual(7);
  });
});

describe('an admin', () => {
  test('pauses and resumes a queue, and its row tells who, when and why', async () => {
    const paused = await change('pauseQueue(name: "default", reason: "provider is down")');
    expect(paused.data).toMatchObject({
      change: {
        queue: {
          name: 'default', state: 'PAUSED', pausedAt: expect.any(String), pauseReason: 'provider is down',
          pausedBy: expect.stringMatching(/^manual:admin-/), changedBy: expect.stringMatching(/^manual:admin-/),
        },
        userErrors: [],
      },
    }); // prettier-ignore
    expect(await states()).toEqual(['default PAUSED', 'long_running ACTIVE', 'scheduled ACTIVE']);
    const resumed = await change('resumeQueue(name: "default")');
    expect(resumed.data).toMatchObject({
      change: {
        queue: {
          state: 'ACTIVE',
          pausedAt: null,
          pauseReason: null,
          pausedBy: null,
          changedAt: expect.any(String),
        },
      },
    });
  });

  test('who pauses again changes the reason and not the time', async () => {
    const first = await change('pauseQueue(name: "default", reason: "one")');
    const again = await change('pauseQueue(name: "default", reason: "two")');
    const pausedAt = (answer: typeof first) =>
      (answer.data?.['change'] as { queue: { pausedAt: string } }).queue.pausedAt;
    expect(pausedAt(again)).toBe(pausedAt(first));
    expect(again.data).toMatchObject({ change: { queue: { pauseReason: 'two' } } });
  });

  test('drains a queue: DRAINING while something runs or is out, of any organization, and then DRAINED', async () => {
    const { db } = api.database;
    const job = await seedJob(db, api.organization.id, { queue: 'default', status: 'running' });
    const next = await seedJob(db, api.organization.id, { queue: 'default', status: 'pending' });
    await run('UPDATE jobs SET delivered_at = now() WHERE id = $1', next.uuid);
    expect((await change('drainQueue(name: "default")')).data).toMatchObject({
      change: { queue: { state: 'DRAINING' } },
    });
    await run(`UPDATE jobs SET status = 'completed', completed_at = now() WHERE id = $1`, job.uuid);
    expect((await states())[0]).toBe('default DRAINING');
    await run('UPDATE jobs SET delivered_at = NULL WHERE id = $1', next.uuid);
    expect((await states())[0]).toBe('default DRAINED');
    expect((await change('pauseQueue(name: "default")')).data).toMatchObject({
      change: { queue: { state: 'PAUSED' } },
    });
    expect((await run('SELECT 1 FROM jobs')).rows).toHaveLength(2);
  });

  test('sets the concurrency of a queue, and takes it back to the default', async () => {
    const set = await change('setQueueConcurrency(name: "default", concurrency: 500)');
    expect(set.data).toMatchObject({ change: { queue: { concurrency: 500 }, userErrors: [] } });
    const back = await change('setQueueConcurrency(name: "default", concurrency: null)');
    expect(back.data).toMatchObject({ change: { queue: { concurrency: null }, userErrors: [] } });
  });

  test.each([
    ['pauseQueue(name: "internal")', 'NOT_FOUND', 'name'],
    ['drainQueue(name: "Default")', 'NOT_FOUND', 'name'],
    ['resumeQueue(name: "")', 'NOT_FOUND', 'name'],
    ['setQueueConcurrency(name: "other", concurrency: 1)', 'NOT_FOUND', 'name'],
    ['setQueueConcurrency(name: "default", concurrency: 0)', 'INVALID', 'concurrency'],
    ['setQueueConcurrency(name: "default", concurrency: 501)', 'INVALID', 'concurrency'],
    [`pauseQueue(name: "default", reason: "${'x'.repeat(501)}")`, 'INVALID', 'reason'],
  ])('who asks for %.60s is told what is wrong with it, and nothing changes', async (call, code, field) => {
    const before = await run('SELECT * FROM queues ORDER BY name');
    const { data, errors } = await change(call);
    expect(errors).toEqual([]);
    expect(data).toMatchObject({ change: { queue: null, userErrors: [{ code, field: [field] }] } });
    expect((await run('SELECT * FROM queues ORDER BY name')).rows).toEqual(before.rows);
  });
});

describe('anybody else', () => {
  test.each([
    'pauseQueue(name: "default")',
    'drainQueue(name: "default")',
    'resumeQueue(name: "default")',
    'setQueueConcurrency(name: "default", concurrency: 1)',
  ])('may not call %s', async (call) => {
    for (const role of ['member', 'viewer'] as const) {
      const { errors } = await change(call, role);
      expect(errors).toMatchObject([{ extensions: { code: 'FORBIDDEN' } }]);
    }
    expect((await states())[0]).toBe('default ACTIVE');
  });

  test('sees that and why a queue is paused, but not by whom', async () => {
    await change('pauseQueue(name: "default", reason: "maintenance")');
    const { data, errors } = await api.ask(
      '{ queues { state pauseReason pausedBy changedBy } }',
      {},
      'viewer',
    );
    expect(errors).toEqual([]);
    expect(data).toMatchObject({
      queues: [{ state: 'PAUSED', pauseReason: 'maintenance', pausedBy: null, changedBy: null }, {}, {}],
    });
  });
});

describe('workers', () => {
  const live = newUuid();
  const silent = newUuid();
  const stopped = newUuid();
  const lost = newUuid();
  const ids = [live, silent, stopped, lost].map((id) => toPublicId('worker', id));
  beforeAll(async () => {
    const kinds = JSON.stringify({ product_import: 3, canary: 1, unheard_of: 7 });
    for (const [id, name, beat] of [
      [live, 'live', '1 s'],
      [silent, 'silent', '20 s'],
    ] as const) {
      // prettier-ignore
      await run(
        `INSERT INTO workers (id, name, kinds, queues, beat_at) VALUES ($1, $2, $3, '{default,internal}', now() - $4::interval)`,
        id,
        name,
        kinds,
        beat,
      );
    }
    for (const [id, isLost, ago] of [
      [stopped, false, '1 hour'],
      [lost, true, '2 hours'],
      [newUuid(), true, '25 hours'],
    ] as const) {
      // prettier-ignore
      await run(
        `INSERT INTO stopped_workers (id, name, kinds, queues, started_at, beat_at, stopped_at, lost)
         VALUES ($1, 'gone', $2, '{default}', now() - interval '3 days', now() - $3::interval, now() - $3::interval, $4)`,
        id,
        kinds,
        ago,
        isLost,
      );
    }
  });

  test('are those that live and those that went within a day, the youngest first, page by page', async () => {
    const query = `query ($after: String) { workers(first: 3, after: $after) {
      totalCount pageInfo { hasNextPage endCursor } edges { node { id name state alive stoppedAt } } } }`;
    interface Answer {
      totalCount: number;
      pageInfo: { hasNextPage: boolean; endCursor: string };
      edges: { node: { id: string; state: string; alive: boolean } }[];
    }
    const first = (await api.ask(query)).data?.['workers'] as Answer;
    const rest = (await api.ask(query, { after: first.pageInfo.endCursor })).data?.['workers'] as Answer;
    expect(first).toMatchObject({ totalCount: 4, pageInfo: { hasNextPage: true } });
    expect(rest.pageInfo.hasNextPage).toBe(false);
    const nodes = [...first.edges, ...rest.edges].map(({ node }) => node);
    expect(nodes.map(({ id }) => id)).toEqual(ids.toReversed());
    expect(nodes.map(({ state, alive }) => [state, alive])).toEqual([
      ['LOST', false],
      ['STOPPED', false],
      ['LOST', false],
      ['ALIVE', true],
    ]);
  });

  test('can be asked for by whether they live', async () => {
    const { data } = await api.ask(
      '{ live: workers(alive: true) { totalCount } dead: workers(alive: false) { totalCount } }',
    );
    expect(data).toEqual({ live: { totalCount: 1 }, dead: { totalCount: 3 } });
  });

  test('tell the kinds that the API knows, with versions, and queues show those that serve them', async () => {
    const { data } = await api.ask('{ queues { name workers { id name kinds { kind version } queues } } }');
    expect(data).toMatchObject({
      queues: [
        { workers: [{ id: ids[0], name: 'live', kinds: [{ kind: 'PRODUCT_IMPORT', version: 3 }] }] },
        { workers: [] },
        { workers: [] },
      ],
    });
  });

  test('are found by their ids, live or gone', async () => {
    for (const id of ids) {
      const { data } = await api.ask(
        'query ($id: ID!) { node(id: $id) { __typename id } }',
        { id },
        'stranger',
      );
      expect(data).toEqual({ node: { __typename: 'Worker', id } });
    }
    const { data } = await api.ask('query ($id: ID!) { node(id: $id) { id } }', {
      id: toPublicId('worker', newUuid()),
    });
    expect(data).toEqual({ node: null });
  });

  test('tell an admin alone how much they run, since that is of all organizations', async () => {
    const job = await seedJob(api.database.db, api.organization.id, { status: 'running' });
    await run('UPDATE jobs SET worker_id = $2 WHERE id = $1', job.uuid, live);
    const query = 'query ($id: ID!) { node(id: $id) { ... on Worker { runningCount } } }';
    expect((await api.ask(query, { id: ids[0] }, 'admin')).data).toEqual({ node: { runningCount: 1 } });
    expect((await api.ask(query, { id: ids[0] }, 'member')).data).toEqual({ node: { runningCount: null } });
  });
});
