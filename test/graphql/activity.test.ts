import Papa from 'papaparse';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { z } from 'zod';
import { newUuid, timeOfUuid, toPublicId } from '../../src/domain/ids.ts';
import { insertApiKey } from '../../src/repositories/api-keys.ts';
import { insertActivities, type NewActivity } from '../../src/repositories/activities.ts';
import { startApi, type TestApi } from '../support/api.ts';

let api: TestApi;
beforeAll(async () => {
  api = await startApi({ environment: { LIMIT_POINTS_PER_SECOND: '1000000' } });
});
afterAll(() => api.close());

const LOG = `mutation ($input: LogActivityInput!) {
  logActivity(input: $input) { activityId userErrors { field code message } }
}`;
const LIST = `query ($filter: ActivityFilter, $first: Int, $after: String) {
  activity(filter: $filter, first: $first, after: $after) {
    totalCount pageInfo { hasNextPage endCursor } edges { node { id action summary actor audit objectId details } }
  }
}`;

function activity(of: Partial<NewActivity> = {}): NewActivity {
  const id = newUuid();
  return {
    id,
    at: timeOfUuid(id),
    organizationId: api.organization.id,
    actor: 'api:importer',
    action: 'publish',
    isAudit: false,
    objectType: 'page',
    objectId: 'page-1',
    succeeded: true,
    summary: 'Published a page',
    address: null,
    userAgent: null,
    requestId: null,
    details: null,
    ...of,
  };
}

interface Page {
  readonly totalCount: number | null;
  readonly pageInfo: { readonly hasNextPage: boolean; readonly endCursor: string | null };
  readonly edges: readonly { readonly node: Readonly<Record<string, unknown>> }[];
}

async function list(variables: object, role: 'admin' | 'stranger' = 'admin'): Promise<Page> {
  const { data, errors } = await api.ask(LIST, variables, role);
  expect(errors).toEqual([]);
  const page = data?.['activity'];
  if (!isPage(page)) throw new Error('expected a page');
  return page;
}
const isPage = (value: unknown): value is Page =>
  typeof value === 'object' && value !== null && 'edges' in value;

describe('logActivity', () => {
  test('is read by admins, and by node, and by no other organization', async () => {
    const details = { from: 1, nested: [{ to: null }] };
    const input = { action: 'approve', objectType: 'order', objectId: 'o-7', summary: 'Approved', details };
    const { data } = await api.ask(LOG, { input }, 'member');
    expect(data).toMatchObject({ logActivity: { userErrors: [] } });
    const { edges, totalCount } = await list({ filter: { actions: ['approve'] } });
    expect(totalCount).toBe(1);
    expect(edges[0]?.node).toMatchObject({ action: 'approve', objectId: 'o-7', audit: false, details });
    const id = edges[0]?.node['id'];
    const node = 'query ($id: ID!) { node(id: $id) { id ... on Activity { summary } } }';
    expect((await api.ask(node, { id }, 'admin')).data).toEqual({ node: { id, summary: 'Approved' } });
    expect((await api.ask(node, { id }, 'stranger')).data).toEqual({ node: null });
    expect((await list({ filter: { actions: ['approve'] } }, 'stranger')).totalCount).toBe(0);
    expect((await api.ask(LIST, {}, 'member')).errors[0]?.extensions['code']).toBe('FORBIDDEN');
    expect((await api.ask(LOG, { input }, 'viewer')).errors[0]?.extensions['code']).toBe('FORBIDDEN');
  });

  test.each([
    ['action', { action: ' ', summary: 'x' }],
    ['summary', { action: 'a', summary: 'x'.repeat(1_001) }],
    ['details', { action: 'a', summary: 'x', details: { text: 'é'.repeat(8_200) } }],
  ])('with a wrong %s names it, and notes nothing', async (field, input) => {
    const before = (await list({ filter: { audit: false } })).totalCount;
    const { data } = await api.ask(LOG, { input });
    expect(data).toMatchObject({
      logActivity: { activityId: null, userErrors: [{ field: ['input', field], code: 'INVALID' }] },
    });
    expect((await list({ filter: { audit: false } })).totalCount).toBe(before);
  });
});

describe('activity', () => {
  test('each filter narrows it down, and pages go on where the one before ended', async () => {
    const start = new Date(Date.now() - 1);
    const rows = [
      activity({ actor: 'api:a', action: 'one', objectId: 'x', objectType: 'thing', succeeded: false }),
      activity({ actor: 'api:b', action: 'two', objectId: 'x', objectType: 'thing' }),
      activity({ actor: 'api:a', action: 'three', objectId: 'y', objectType: 'other', isAudit: true }),
    ];
    await insertActivities(api.database.db, rows);
    const actions = async (filter: object): Promise<unknown[]> => {
      const both = { after: start.toISOString(), ...filter };
      return (await list({ filter: both })).edges.map(({ node }) => node['action']);
    };
    expect(await actions({ actor: 'api:a' })).toEqual(['three', 'one']);
    expect(await actions({ actions: ['one', 'two', 'one'] })).toEqual(['two', 'one']);
    expect(await actions({ objectId: 'x' })).toEqual(['two', 'one']);
    expect(await actions({ objectType: 'other' })).toEqual(['three']);
    expect(await actions({ audit: true, actor: 'api:a' })).toEqual(['three']);
    expect(await actions({ succeeded: false, objectType: 'thing' })).toEqual(['one']);
    expect(await actions({ before: start.toISOString() })).toEqual([]);
    expect(await actions({ actions: [] })).toEqual([]);
    const filter = { actions: ['one', 'two', 'three'] };
    const first = await list({ filter, first: 2 });
    expect(first).toMatchObject({ totalCount: 3, pageInfo: { hasNextPage: true } });
    const second = await list({ filter, first: 2, after: first.pageInfo.endCursor });
    expect(second.edges.map(({ node }) => node['action'])).toEqual(['one']);
  });

  test('is only ever added to, and goes with its organization', async () => {
    const { db } = api.database;
    const refused = { code: '23001' };
    await expect(db.query("UPDATE activities SET summary = ''")).rejects.toMatchObject(refused);
    await expect(db.query('DELETE FROM activities')).rejects.toMatchObject(refused);
    const id = newUuid();
    await db.query(
      `INSERT INTO organizations (id, name, time_zone, currency) VALUES ($1, 'Gone', 'UTC', 'EUR')`,
      [id],
    );
    await insertActivities(db, [activity({ organizationId: id })]);
    await db.query('DELETE FROM organizations WHERE id = $1', [id]);
    const { rows } = await db.query('SELECT 1 FROM activities WHERE organization_id = $1', [id]);
    expect(rows).toEqual([]);
  });
});

describe('an export', () => {
  const get = (path: string, token: string = api.tokens.admin): Promise<Response> =>
    fetch(`${api.url}${path}`, { headers: { authorization: `Bearer ${token}` } });

  test('gives all 5,000 that match, newest first, as JSON Lines and as CSV without formulas', async () => {
    const rows = Array.from({ length: 5_000 }, (_, n) =>
      activity({ actor: 'api:many', summary: n % 2 ? '=1+1' : `"quoted", ${n}`, details: { n } }),
    );
    for (let at = 0; at < rows.length; at += 500)
      await insertActivities(api.database.db, rows.slice(at, at + 500));
    await insertActivities(api.database.db, [activity({ actor: 'api:other' })]);
    const ids = rows.map(({ id }) => toPublicId('activity', id)).reverse();

    const jsonl = await get('/activity.jsonl?actor=api%3Amany');
    expect(jsonl.status).toBe(200);
    const lines = (await jsonl.text()).trimEnd().split('\n');
    const parsed = lines.map((line): unknown => JSON.parse(line));
    expect(parsed.map((one) => z.object({ id: z.string() }).parse(one).id)).toEqual(ids);
    expect(parsed[0]).toMatchObject({
      actor: 'api:many',
      summary: '=1+1',
      details: { n: 4_999 },
      audit: false,
    });

    const csv = await get('/activity.csv?actor=api%3Amany');
    expect(csv.headers.get('content-disposition')).toContain('activity.csv');
    const table = Papa.parse<Record<string, string>>((await csv.text()).trimEnd(), { header: true });
    expect(table.errors).toEqual([]);
    expect(table.data.map((row) => row['id'])).toEqual(ids);
    expect(table.data[0]).toMatchObject({ summary: "'=1+1", details: '{"n":4999}' });
  });

  test('is itself an entry', async () => {
    await (await get('/activity.jsonl?action=nothing')).text();
    const { edges } = await list({ filter: { actions: ['exportActivity'] }, first: 1 });
    expect(edges[0]?.node).toMatchObject({ audit: true, details: { path: '/activity.jsonl' } });
  });

  test('is refused, with the time of the next one, to whoever asks for too many', async () => {
    const { token } = await insertApiKey(api.database.db, {
      ...{ organizationId: api.organization.id, userId: null, name: 'eager', role: 'admin' },
    });
    // A window is of ten seconds, and an export costs the points of one.
    const answers = await Promise.all(
      Array.from({ length: 21 }, () => get('/activity.jsonl?action=none', token)),
    );
    const refused = answers.filter(({ status }) => status === 429);
    expect(refused.length).toBeGreaterThan(0);
    expect(Number(refused[0]?.headers.get('retry-after'))).toBeGreaterThan(0);
    expect(await refused[0]?.json()).toMatchObject({ code: 'RATE_LIMITED' });
  });

  test('is refused to whoever may not read it, and to wrong questions', async () => {
    const status = async (path: string, token?: string): Promise<number> => (await get(path, token)).status;
    expect(await status('/activity.csv', 'wrong')).toBe(401);
    expect(await status('/activity.csv', api.tokens.member)).toBe(403);
    expect(await status('/activity.csv?actors=x')).toBe(400);
    expect(await status('/activity.csv?after=yesterday')).toBe(400);
    expect(await status('/activity.csv?actor=a&actor=b')).toBe(400);
    expect(await (await get('/activity.jsonl?actor=api%3Amany', api.tokens.stranger)).text()).toBe('');
  });
});
