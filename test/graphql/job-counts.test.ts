import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { z } from 'zod';
import { toPublicId } from '../../src/domain/ids.ts';
import { startApi, type TestApi } from '../support/api.ts';
import { seedJob, seedJobs } from '../support/job-rows.ts';

let api: TestApi;
beforeAll(async () => {
  api = await startApi();
});
afterAll(() => api.close());

const COUNTS = `query ($filter: JobFilter) { jobCounts(filter: $filter) {
  pending running completed completedWithWarnings failed cancelled total } }`;
const PAGE = `query ($filter: JobFilter, $after: String) { jobs(first: 100, filter: $filter, after: $after) {
  totalCount pageInfo { hasNextPage endCursor } edges { node { id } } } }`;

const page = z.object({
  jobs: z.object({
    totalCount: z.int().nullable(),
    pageInfo: z.object({ hasNextPage: z.boolean(), endCursor: z.string().nullable() }),
    edges: z.array(z.object({ node: z.object({ id: z.string() }) })),
  }),
});

async function counts(filter: object): Promise<unknown> {
  const { data, errors } = await api.ask(COUNTS, { filter }, 'viewer');
  expect(errors).toEqual([]);
  return data?.['jobCounts'];
}

async function read(filter: object, after: string | null = null) {
  const { data, errors } = await api.ask(PAGE, { filter, after }, 'viewer');
  expect(errors).toEqual([]);
  const { jobs } = page.parse(data);
  return { ...jobs, ids: jobs.edges.map(({ node }) => node.id) };
}

const none = { pending: 0, running: 0, completed: 0, completedWithWarnings: 0, failed: 0, cancelled: 0 };
const seed = (status: string, count: number, more = {}) =>
  seedJobs(api.database.db, api.organization.id, { status, count, kind: 'product_import', ...more });

describe('jobCounts', () => {
  test('counts by status what matches, and nothing of others', async () => {
    await seed('pending', 2, { triggered_by: 'api:a' });
    await seed('failed', 3, { triggered_by: 'api:a', search_text: (n: number) => `blue shirt ${n}` });
    await seed('failed', 4, { triggered_by: 'api:b' });
    await seedJob(api.database.db, api.organization.id, { triggered_by: 'api:a', internal: true });
    await seedJob(api.database.db, api.organization.id, { triggered_by: 'api:a', kind: 'of_the_future' });
    expect(await counts({ triggeredBy: 'api:a' })).toEqual({ ...none, pending: 2, failed: 3, total: 5 });
    expect(await counts({ triggeredBy: 'api:a', statuses: ['FAILED'] })).toEqual({
      ...none,
      failed: 3,
      total: 3,
    });
    expect(await counts({ search: 'SHIRT' })).toEqual({ ...none, failed: 3, total: 3 });
    expect(await counts({ kinds: [] })).toEqual({ ...none, total: 0 });
    const { data } = await api.ask(COUNTS, {}, 'stranger');
    expect(data).toEqual({ jobCounts: { ...none, total: 0 } });
  });

  test('are exact up to 10,000 and null beyond', async () => {
    await seed('completed', 10_000, { triggered_by: 'api:many' });
    await seed('cancelled', 10_001, { triggered_by: 'api:many' });
    const filter = { triggeredBy: 'api:many' };
    expect(await counts(filter)).toEqual({ ...none, completed: 10_000, cancelled: null, total: null });
    expect((await read({ ...filter, statuses: ['COMPLETED'] })).totalCount).toBe(10_000);
    expect((await read(filter)).totalCount).toBeNull();
  });
});

describe('every combination of conditions', () => {
  test('finds exactly the jobs that match all of them, newest first', async () => {
    const { db } = api.database;
    const all: { readonly n: number; readonly id: string }[] = [];
    const parent = await seedJob(db, api.organization.id);
    for (const [n, status] of [
      'pending',
      'failed',
      'completed',
      'failed',
      'completed',
      'pending',
    ].entries()) {
      const columns = {
        status,
        kind: n % 2 ? 'product_import' : 'bulk_operation',
        queue: n % 3 ? 'default' : 'long_running',
        triggered_by: n < 4 ? 'api:mix' : 'schedule:mix',
        parent_id: n === 5 ? parent.uuid : null,
        created_at: new Date(Date.UTC(2021, 0, n + 1)),
        search_text: n > 1 ? 'mixed feed' : 'mixed',
      };
      all.push({ n, id: (await seedJob(db, api.organization.id, columns)).id });
    }
    const conditions = [
      [{ kinds: ['PRODUCT_IMPORT'] }, (n: number) => n % 2 === 1],
      [{ statuses: ['FAILED', 'FAILED', 'PENDING'] }, (n: number) => ![2, 4].includes(n)],
      [{ queues: ['default'] }, (n: number) => n % 3 !== 0],
      [{ triggeredBy: 'api:mix' }, (n: number) => n < 4],
      [{ createdAfter: '2021-01-02T00:00:00Z' }, (n: number) => n > 1],
      [{ parentId: parent.id }, (n: number) => n === 5],
      [{ search: 'd FEED' }, (n: number) => n > 1],
    ] as const;
    for (let mask = 0; mask < 2 ** conditions.length; mask += 1) {
      const chosen = conditions.filter((_, bit) => (mask >> bit) & 1);
      const filter = { createdBefore: '2021-06-01T00:00:00Z' };
      for (const [condition] of chosen) Object.assign(filter, condition);
      const expected = all.filter(({ n }) => chosen.every(([, matches]) => matches(n))).map(({ id }) => id);
      const found = await read(filter);
      expect([filter, found.ids, found.totalCount]).toEqual([filter, expected.toReversed(), expected.length]);
    }
  });
});

describe('a search among more jobs than are looked at', () => {
  test('finds what is rare at once, and what is frequent but old page by page, each once', async () => {
    const old = await seed('completed', 25_000, { search_text: (n: number) => `legacy feed ${n}.` });
    await seed('completed', 41_000, { search_text: (n: number) => `modern feed ${n}.` });
    await api.database.db.query('ANALYZE job_search');
    const rare = await read({ search: 'legacy feed 7.' });
    expect(rare.ids).toEqual([toPublicId('job', old[6] ?? '')]);
    expect(rare.pageInfo.hasNextPage).toBe(false);
    expect(rare.totalCount).toBe(1);

    const first = await read({ search: 'legacy' });
    expect(first).toMatchObject({ ids: [], totalCount: null, pageInfo: { hasNextPage: true } });
    const seen: string[] = [];
    let after = first.pageInfo.endCursor;
    while (seen.length < 300) {
      const next = await read({ search: 'legacy' }, after);
      seen.push(...next.ids);
      after = next.pageInfo.endCursor;
      expect(next.pageInfo.hasNextPage).toBe(true);
    }
    expect(seen).toEqual(
      old
        .toReversed()
        .slice(0, 300)
        .map((uuid) => toPublicId('job', uuid)),
    );
  });
});
