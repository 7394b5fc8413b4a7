import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { z } from 'zod';
import { newUuid, toPublicId } from '../../src/domain/ids.ts';
import { startApi, type TestApi } from '../support/api.ts';
import { seedJob } from '../support/job-rows.ts';

let api: TestApi;
beforeAll(async () => {
  api = await startApi();
});
afterAll(() => api.close());

const jobsPage = z.object({
  jobs: z.object({
    totalCount: z.int().nullable(),
    pageInfo: z.object({
      hasNextPage: z.boolean(),
      hasPreviousPage: z.boolean(),
      endCursor: z.string().nullable(),
    }),
    edges: z.array(z.object({ cursor: z.string(), node: z.object({ id: z.string() }) })),
  }),
});

const JOBS = `query ($first: Int, $after: String, $filter: JobFilter) {
  jobs(first: $first, after: $after, filter: $filter) {
    totalCount pageInfo { hasNextPage hasPreviousPage endCursor } edges { cursor node { id } }
  }
}`;

async function list(variables: object) {
  const { data, errors } = await api.ask(JOBS, variables, 'viewer');
  expect(errors).toEqual([]);
  const { jobs } = jobsPage.parse(data);
  return { ...jobs, ids: jobs.edges.map(({ node }) => node.id) };
}

describe('the list of jobs', () => {
  test('is read page by page, newest first, each job once', async () => {
    const trigger = `api:pages`;
    const made = [];
    for (let n = 0; n < 7; n += 1)
      made.push((await seedJob(api.database.db, api.organization.id, { triggered_by: trigger })).id);
    const seen: string[] = [];
    let after: string | null = null;
    for (const expected of [3, 3, 1]) {
      const page = await list({ first: 3, after, filter: { triggeredBy: trigger } });
      expect(page.ids).toHaveLength(expected);
      expect(page.totalCount).toBe(7);
      expect(page.pageInfo.hasPreviousPage).toBe(after !== null);
      seen.push(...page.ids);
      after = page.pageInfo.endCursor;
      expect(page.pageInfo.hasNextPage).toBe(seen.length < 7);
    }
    expect(seen).toEqual(made.toReversed());
  });

  test('holds only what matches all of a filter', async () => {
    const { db } = api.database;
    const organizationId = api.organization.id;
    const parent = await seedJob(db, organizationId, { triggered_by: 'schedule:filter' });
    const old = new Date('2020-01-01T00:00:00Z');
    const failed = await seedJob(db, organizationId, {
      status: 'failed',
      queue: 'default',
      triggered_by: 'schedule:filter',
      parent_id: parent.uuid,
      created_at: old,
      search_text: '50%_off sale.csv',
    });
    const only = async (filter: object) =>
      (await list({ filter: { triggeredBy: 'schedule:filter', ...filter } })).ids;
    expect(await only({})).toEqual([parent.id, failed.id]);
    expect(await only({ statuses: ['FAILED', 'CANCELLED'] })).toEqual([failed.id]);
    expect(await only({ queues: ['default'] })).toEqual([failed.id]);
    expect(await only({ kinds: ['PRODUCT_IMPORT'] })).toEqual([parent.id, failed.id]);
    expect(await only({ kinds: [] })).toEqual([]);
    expect(await only({ parentId: parent.id })).toEqual([failed.id]);
    expect(await only({ parentId: 'nonsense' })).toEqual([]);
    expect(await only({ createdBefore: '2020-01-01T00:00:00.001Z' })).toEqual([failed.id]);
    expect(await only({ createdBefore: '2020-01-01T00:00:00Z' })).toEqual([]);
    expect(await only({ createdAfter: '2020-01-01T00:00:00Z' })).toEqual([parent.id]);
    expect(await only({ search: 'SALE.csv' })).toEqual([failed.id]);
    expect(await only({ search: '50%_o' })).toEqual([failed.id]);
    expect(await only({ search: '50_%o' })).toEqual([]);
    expect(await only({ search: '%%%' })).toEqual([]);
  });

  test.each([
    ['first', { first: 101 }],
    ['first', { first: 0 }],
    ['after', { after: 'nonsense' }],
    ['after', { after: Buffer.from(JSON.stringify(['products', newUuid()])).toString('base64url') }],
    ['filter', { filter: { search: 'ab' } }],
  ])('refuses %s %j with an error that names it', async (argument, variables) => {
    const { errors } = await api.ask(JOBS, variables);
    expect(errors).toHaveLength(1);
    expect(errors[0]?.extensions).toMatchObject({
      code: 'BAD_USER_INPUT',
      argument: expect.arrayContaining([argument]),
    });
    expect(errors[0]?.message).toContain(argument);
  });

  test('counts exactly up to 10,000 and not beyond', async () => {
    const { db } = api.database;
    await db.query(
      `INSERT INTO jobs (id, organization_id, kind, version, status, queue, input, input_hash, triggered_by, max_attempts, completed_at)
       SELECT gen_random_uuid(), $1, 'product_import', 1, 'completed', 'default', '{}', '\\x00', 'api:many', 1, now()
       FROM generate_series(1, 10001)`,
      [api.organization.id],
    );
    expect((await list({ first: 1, filter: { triggeredBy: 'api:many' } })).totalCount).toBeNull();
    await db.query(
      `DELETE FROM jobs WHERE id = (SELECT id FROM jobs WHERE triggered_by = 'api:many' LIMIT 1)`,
    );
    expect((await list({ first: 1, filter: { triggeredBy: 'api:many' } })).totalCount).toBe(10_000);
  });

  test('never shows kinds of the system’s own or of a newer release', async () => {
    const { db } = api.database;
    const hidden = [
      await seedJob(db, api.organization.id, { triggered_by: 'api:hidden', internal: true }),
      await seedJob(db, api.organization.id, { triggered_by: 'api:hidden', kind: 'of_the_future' }),
    ];
    expect((await list({ filter: { triggeredBy: 'api:hidden' } })).totalCount).toBe(0);
    for (const { id } of hidden) {
      const { data } = await api.ask('query ($id: ID!) { job(id: $id) { id } node(id: $id) { id } }', { id });
      expect(data).toEqual({ job: null, node: null });
    }
  });
});

describe('one job', () => {
  test('is found by its id, as job and as node, with its input as its caller gave it', async () => {
    const upload = newUuid();
    const { id } = await seedJob(api.database.db, api.organization.id, {
      input: { source: { uploadId: upload }, format: 'shopify_csv', dryRun: false },
      result: {
        created: 3,
        updated: 0,
        unchanged: 0,
        rejected: 1,
        productsCreated: 2,
        productsUpdated: 0,
        variantsCreated: 3,
        variantsUpdated: 0,
      },
    });
    const { data, errors } = await api.ask(
      `query ($id: ID!) {
        job(id: $id) { id kind status input statusUrl counts { total processed } pendingReason { code }
          result { ... on ProductImportResult { created productsCreated rejected } } }
        node(id: $id) { __typename id ... on Job { status children { totalCount } } }
      }`,
      { id },
    );
    expect(errors).toEqual([]);
    expect(data).toEqual({
      job: {
        id,
        kind: 'PRODUCT_IMPORT',
        status: 'COMPLETED',
        input: { source: { uploadId: toPublicId('upload', upload) }, format: 'SHOPIFY_CSV', dryRun: false },
        statusUrl: `${api.url}/jobs/${id}`,
        counts: { total: null, processed: 0 },
        pendingReason: null,
        result: { created: 3, productsCreated: 2, rejected: 1 },
      },
      node: { __typename: 'Job', id, status: 'COMPLETED', children: { totalCount: 0 } },
    });
  });

  test('a pending one says what it waits for', async () => {
    const { id } = await seedJob(api.database.db, api.organization.id, { status: 'pending' });
    const { data } = await api.ask('query ($id: ID!) { job(id: $id) { pendingReason { code message } } }', {
      id,
    });
    expect(data).toMatchObject({ job: { pendingReason: { code: 'NO_CAPABLE_WORKER' } } });
  });
});
