import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { WebSocket } from 'ws';
import { newUuid, toPublicId } from '../../src/domain/ids.ts';
import { createClient, MillraceUserError, type MillraceClient } from '../../src/sdk/index.ts';
import { startApi, type TestApi } from '../support/api.ts';
import { seedJob, seedJobs } from '../support/job-rows.ts';

let api: TestApi;
let client: MillraceClient;
beforeAll(async () => {
  api = await startApi();
  client = createClient({ url: api.graphqlUrl, token: api.tokens.member, webSocketImpl: WebSocket });
  const seed = (status: string, count: number) =>
    seedJobs(api.database.db, api.organization.id, {
      status,
      count,
      kind: 'product_import',
      triggered_by: 'schedule:nightly',
    });
  await seed('failed', 30);
  await seed('completed', 10);
  await seed('running', 5);
  await seed('pending', 15);
});
afterAll(async () => {
  await client.close();
  await api.close();
});

const nightly = { triggeredBy: 'schedule:nightly' };
const errorsOf = async (call: Promise<unknown>) => {
  const error: unknown = await call.then(
    () => null,
    (thrown: unknown) => thrown,
  );
  expect(error).toBeInstanceOf(MillraceUserError);
  return error instanceof MillraceUserError ? error.errors : [];
};
const bulkJobs = async (): Promise<number> => {
  const { rows } = await api.database.db.query<{ count: number }>(
    `SELECT count(*)::int AS count FROM jobs WHERE kind = 'bulk_operation'`,
  );
  return rows[0]?.count ?? -1;
};

describe('previewJobs', () => {
  test('tells how many match, how many each operation would touch, and the newest ten', async () => {
    const preview = await client.jobs.preview(nightly);
    expect(preview).toMatchObject({ count: 60, countIsExact: true, cancellable: 20, retryable: 40 });
    expect(preview.byStatus).toEqual({
      pending: 15,
      running: 5,
      completed: 10,
      completedWithWarnings: 0,
      failed: 30,
      cancelled: 0,
      total: 60,
    });
    expect(preview.sample).toHaveLength(10);
    expect(preview.sample.every(({ status }) => status === 'PENDING')).toBe(true);
  });

  test('refuses an empty filter, naming it', async () => {
    const { errors } = await api.ask('{ previewJobs(filter: { search: null }) { count } }');
    expect(errors[0]?.extensions).toMatchObject({ code: 'BAD_USER_INPUT', argument: ['filter'] });
  });

  test('sees nothing of another organization', async () => {
    const { data } = await api.ask(
      '{ previewJobs(filter: { triggeredBy: "schedule:nightly" }) { count sample { id } } }',
      {},
      'stranger',
    );
    expect(data).toEqual({ previewJobs: { count: 0, sample: [] } });
  });
});

describe('cancelJobs and retryJobs', () => {
  test('refuse an empty filter and start nothing', async () => {
    const before = await bulkJobs();
    for (const filter of [{}, { search: null, kinds: null }]) {
      expect(await errorsOf(client.jobs.cancelMany(filter, 20))).toMatchObject([
        { code: 'INVALID', field: ['filter'] },
      ]);
      expect(await errorsOf(client.jobs.retryMany(filter, 20))).toMatchObject([
        { code: 'INVALID', field: ['filter'] },
      ]);
    }
    expect(await bulkJobs()).toBe(before);
  });

  test.each([
    ['cancelMany', 18, 20],
    ['cancelMany', 22, 20],
    ['retryMany', 37, 40],
    ['retryMany', 0, 40],
  ] as const)(
    '%s refuses an expected count of %i where %i match, and names the real one',
    async (name, expected, actual) => {
      const before = await bulkJobs();
      const [error] = await errorsOf(client.jobs[name](nightly, expected));
      expect(error).toMatchObject({ code: 'CONFLICT', field: ['expectedCount'] });
      expect(error?.message).toContain(String(actual));
      expect(await bulkJobs()).toBe(before);
    },
  );

  test.each([
    [{ search: 'ab' }, 1, {}, ['filter', 'search'], 'INVALID'],
    [nightly, -1, {}, ['expectedCount'], 'INVALID'],
    [nightly, 20, { reason: 'x'.repeat(501) }, ['reason'], 'INVALID'],
    [{ triggeredBy: 'nobody' }, 0, {}, ['expectedCount'], 'CONFLICT'],
    [{ parentId: 'nonsense' }, 0, {}, ['expectedCount'], 'CONFLICT'],
  ])('%j with %i is refused with the field that is wrong', async (filter, count, more, field, code) => {
    expect(await errorsOf(client.jobs.cancelMany(filter, count, more))).toMatchObject([{ field, code }]);
  });

  test.each(['cancelJobs', 'retryJobs'])('%s is not for viewers', async (name) => {
    const { errors } = await api.ask(
      `mutation { ${name}(filter: { triggeredBy: "x" }, expectedCount: 1) { job { id } } }`,
      {},
      'viewer',
    );
    expect(errors[0]?.extensions).toMatchObject({ code: 'FORBIDDEN' });
  });

  test('find nothing in another organization, by filter or by parent', async () => {
    const parent = await seedJob(api.database.db, api.organization.id);
    await seedJob(api.database.db, api.organization.id, { parent_id: parent.uuid, status: 'pending' });
    for (const filter of [`triggeredBy: "schedule:nightly"`, `parentId: "${parent.id}"`]) {
      const { data } = await api.ask(
        `mutation { cancelJobs(filter: { ${filter} }, expectedCount: 20) { job { id } userErrors { code } } }`,
        {},
        'stranger',
      );
      expect(data).toEqual({ cancelJobs: { job: null, userErrors: [{ code: 'CONFLICT' }] } });
    }
    const missing = { parentId: toPublicId('job', newUuid()) };
    expect(await errorsOf(client.jobs.cancelMany(missing, 20))).toMatchObject([{ code: 'CONFLICT' }]);
  });

  test('start a job that tells what it was asked, once per idempotency key', async () => {
    const filter = { ...nightly, kinds: ['PRODUCT_IMPORT'], statuses: ['FAILED'] } as const;
    const start = () => client.jobs.retryMany(filter, 31, { idempotencyKey: 'once' });
    const { job, replayed } = await start();
    expect(replayed).toBe(false);
    expect(job).toMatchObject({
      kind: 'BULK_OPERATION',
      status: 'PENDING',
      queue: 'default',
      input: {
        action: 'RETRY',
        filter: { triggeredBy: 'schedule:nightly', kinds: ['PRODUCT_IMPORT'], statuses: ['FAILED'] },
        expectedCount: 31,
      },
    });
    // What matched is gone by now; the same call is still the same call.
    await api.database.db.query(`UPDATE jobs SET triggered_by = 'gone' WHERE status = 'failed'`);
    expect(await start()).toMatchObject({ job: { id: job.id }, replayed: true });
  });
});
