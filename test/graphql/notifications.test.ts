import { createClient as createSocket } from 'graphql-ws';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { WebSocket } from 'ws';
import { newUuid, toPublicId } from '../../src/domain/ids.ts';
import type { BusAdapter } from '../../src/events/adapter.ts';
import { openBus } from '../../src/events/index.ts';
import { jobCatalogue, systemCatalogue } from '../../src/jobs/index.ts';
import { tellOfEndedJobs } from '../../src/notify/ended-jobs.ts';
import { insertApiKey } from '../../src/repositories/api-keys.ts';
import { startApi, type TestApi } from '../support/api.ts';
import { seedJob, type SeededJob } from '../support/job-rows.ts';
import { silentLog } from '../support/log.ts';
import { readsDuring } from '../support/statements.ts';
import { waitFor } from '../support/wait.ts';

let api: TestApi;
let bus: BusAdapter;
beforeAll(async () => {
  api = await startApi();
  const { url: directDatabaseUrl } = api.database;
  bus = await openBus({
    broker: { type: 'postgres' },
    directDatabaseUrl,
    applicationName: 'millrace-test',
    log: silentLog,
  });
});
afterAll(async () => {
  await bus.close();
  await api.close();
});

/** What a worker does twice a second. */
const tell = (individualMax = 20): Promise<void> =>
  tellOfEndedJobs(
    {
      db: api.database.db,
      bus,
      catalogue: { ...jobCatalogue, ...systemCatalogue },
      canMail: false,
      linkBase: '',
      limits: { individualMax, windowMs: 600_000 },
    },
    new AbortController().signal,
  );

async function failJob(columns: Parameters<typeof seedJob>[2] = {}): Promise<SeededJob> {
  const job = await seedJob(api.database.db, api.organization.id, { status: 'failed', ...columns });
  await tell(1_000);
  return job;
}

const LIST = `query ($first: Int, $after: String, $unreadOnly: Boolean) {
  notifications(first: $first, after: $after, unreadOnly: $unreadOnly) { totalCount unreadCount
    pageInfo { hasNextPage endCursor }
    edges { node { id type title body readAt job { id status } digest { failed kinds { kind failed } } } } } }`;

interface List {
  readonly totalCount: number;
  readonly unreadCount: number;
  readonly pageInfo: { readonly hasNextPage: boolean; readonly endCursor: string };
  readonly edges: { readonly node: Record<string, unknown> & { readonly id: string } }[];
}

const list = async (role: 'admin' | 'member' | 'viewer' | 'stranger', variables = {}): Promise<List> => {
  const { data, errors } = await api.ask(LIST, variables, role);
  expect(errors).toEqual([]);
  return data?.['notifications'] as List;
};

const emailOf = async (role: string): Promise<string> => {
  const { rows } = await api.database.db.query<{ email: string }>(
    'SELECT email FROM users JOIN memberships m ON m.user_id = users.id WHERE m.organization_id = $1 AND m.role = $2::role',
    [api.organization.id, role],
  );
  return rows[0]?.email ?? '';
};

describe('notifications', () => {
  test('are listed to whom they are addressed, newest first, in pages', async () => {
    const first = await failJob();
    const second = await failJob({ triggered_by: `manual:${await emailOf('member')}` });
    const page = await list('admin', { first: 1 });
    expect(page).toMatchObject({ totalCount: 2, unreadCount: 2, pageInfo: { hasNextPage: true } });
    expect(page.edges[0]?.node).toMatchObject({
      type: 'JOB_FAILED',
      title: '“Import products” failed',
      readAt: null,
      job: { id: second.id, status: 'FAILED' },
      digest: null,
    });
    const rest = await list('admin', { first: 1, after: page.pageInfo.endCursor });
    expect(rest.edges.map(({ node }) => node['job'])).toMatchObject([{ id: first.id }]);
    expect((await list('member')).edges.map(({ node }) => node['job'])).toMatchObject([{ id: second.id }]);
    expect((await list('viewer')).totalCount).toBe(0);
    expect((await list('stranger')).totalCount).toBe(0);
  });

  test('of the organization are read by an admin key of no person, and by no other', async () => {
    await failJob();
    const ask = async (role: 'admin' | 'member'): Promise<number> => {
      const { token } = await insertApiKey(api.database.db, {
        organizationId: api.organization.id,
        userId: null,
        name: `machine ${role}`,
        role,
      });
      const response = await fetch(api.graphqlUrl, {
        method: 'POST',
        headers: { 'content-type': 'application/json', authorization: `Bearer ${token}` },
        body: JSON.stringify({ query: '{ notifications { totalCount } }' }),
      });
      const body = (await response.json()) as { data: { notifications: { totalCount: number } } };
      return body.data.notifications.totalCount;
    };
    expect(await ask('admin')).toBeGreaterThan(0);
    expect(await ask('member')).toBe(0);
  });

  test('are found by their id by their recipient alone', async () => {
    await failJob();
    const [newest] = (await list('admin', { first: 1 })).edges;
    const NODE = 'query ($id: ID!) { node(id: $id) { __typename id } }';
    const id = newest?.node.id;
    expect((await api.ask(NODE, { id }, 'admin')).data).toEqual({ node: { __typename: 'Notification', id } });
    for (const role of ['member', 'viewer', 'stranger'] as const) {
      const missing = await api.ask(NODE, { id: toPublicId('notification', newUuid()) }, role);
      expect(await api.ask(NODE, { id }, role)).toEqual(missing);
    }
  });

  test('cost the same number of statements whatever the page holds', async () => {
    for (let n = 0; n < 20; n += 1) await seedJob(api.database.db, api.organization.id, { status: 'failed' });
    await tell(1_000);
    await list('admin');
    const few = await readsDuring(() => list('admin', { first: 1 }));
    const many = await readsDuring(() => list('admin', { first: 20 }));
    expect(many.length, many.join('\n')).toBe(few.length);
    expect(many.length).toBeGreaterThan(2);
  });

  test('become a digest in a storm, which is unread again when it grows', async () => {
    await seedJob(api.database.db, api.organization.id, { status: 'failed' });
    await tell(0);
    const [opened] = (await list('admin', { first: 1 })).edges;
    expect(opened?.node).toMatchObject({
      type: 'DIGEST',
      title: '1 job failed in a short time',
      job: null,
      digest: { failed: 1, kinds: [{ kind: 'PRODUCT_IMPORT', failed: 1 }] },
    });
    await api.ask(MARK, { ids: [opened?.node.id] }, 'admin');
    await seedJob(api.database.db, api.organization.id, { status: 'failed' });
    await tell(0);
    const [grown] = (await list('admin', { first: 1 })).edges;
    expect(grown?.node).toMatchObject({ id: opened?.node.id, readAt: null, digest: { failed: 2 } });
    await api.database.db.query(`DELETE FROM notifications WHERE type = 'digest'`);
  });
});

const MARK = `mutation ($ids: [ID!], $before: DateTime) { markNotificationsRead(ids: $ids, before: $before) {
  markedCount unreadCount userErrors { field code message } } }`;

describe('markNotificationsRead', () => {
  test('marks those that are named, once, and none of anybody else’s', async () => {
    await failJob({ triggered_by: `manual:${await emailOf('viewer')}` });
    const own = (await list('viewer')).edges.map(({ node }) => node.id);
    const foreign = (await list('admin')).edges.map(({ node }) => node.id);
    const before = (await list('admin')).unreadCount;
    const variables = {
      ids: [...own, ...foreign.slice(0, 5), toPublicId('notification', newUuid()), 'nonsense'],
    };
    const { data } = await api.ask(MARK, variables, 'viewer');
    expect(data).toEqual({
      markNotificationsRead: { markedCount: own.length, unreadCount: 0, userErrors: [] },
    });
    expect((await api.ask(MARK, variables, 'viewer')).data).toMatchObject({
      markNotificationsRead: { markedCount: 0 },
    });
    expect((await list('admin')).unreadCount).toBe(before);
    expect((await list('viewer', { unreadOnly: true })).totalCount).toBe(0);
    expect((await list('viewer')).edges[0]?.node['readAt']).toMatch(/Z$/);
  });

  test('marks all that are older than a moment', async () => {
    await failJob();
    const { unreadCount } = await list('admin');
    const later = new Date(Date.now() + 60_000).toISOString();
    expect((await api.ask(MARK, { before: later }, 'admin')).data).toEqual({
      markNotificationsRead: { markedCount: unreadCount, unreadCount: 0, userErrors: [] },
    });
  });

  test.each([
    ['neither', {}],
    ['both', { ids: [], before: '2026-01-01T00:00:00.000Z' }],
    ['too many', { ids: Array.from({ length: 101 }, () => 'x') }],
  ])('with %s is a mistake of its caller', async (_what, variables) => {
    expect((await api.ask(MARK, variables, 'admin')).data).toMatchObject({
      markNotificationsRead: { markedCount: 0, userErrors: [{ code: 'INVALID' }] },
    });
  });
});

describe('notificationAdded', () => {
  test('sends each of the caller’s as it comes, and nobody else’s', async () => {
    const clients = (['admin', 'member'] as const).map((role) =>
      createSocket({
        url: api.graphqlUrl.replace('http', 'ws'),
        connectionParams: { token: api.tokens[role] },
        webSocketImpl: WebSocket,
        retryAttempts: 0,
      }),
    );
    const seen = clients.map((client) => {
      const titles: unknown[] = [];
      const query = 'subscription { notificationAdded { id job { id } } }';
      void (async () => {
        for await (const { data } of client.iterate({ query })) titles.push(data?.['notificationAdded']);
      })().catch(() => undefined);
      return titles;
    });
    await waitFor(() => api.app.openStreams === 2);
    await failJob();
    const own = await failJob({ triggered_by: `manual:${await emailOf('member')}` });
    await waitFor(() => seen[0]?.length === 2 && seen[1]?.length === 1);
    expect(seen[1]).toMatchObject([{ job: { id: own.id } }]);
    await Promise.all(clients.map(async (client) => client.dispose()));
    await waitFor(() => api.app.openStreams === 0);
  });
});

describe('preferences', () => {
  const READ = '{ notificationPreferences { type jobKind channel enabled isDefault } }';
  const UPDATE = `mutation ($preferences: [NotificationPreferenceInput!]!) {
    updateNotificationPreferences(preferences: $preferences) {
      preferences { type jobKind channel enabled isDefault } userErrors { field code } } }`;

  test('are the defaults until something is said, and again when it is taken back', async () => {
    const defaults = await api.ask(READ, {}, 'viewer');
    expect(defaults.data?.['notificationPreferences']).toEqual(
      [
        ['JOB_FAILED', 'IN_APP', true],
        ['JOB_FAILED', 'EMAIL', true],
        ['JOB_COMPLETED_WITH_WARNINGS', 'IN_APP', true],
        ['JOB_COMPLETED_WITH_WARNINGS', 'EMAIL', false],
      ].map(([type, channel, enabled]) => ({ type, channel, enabled, jobKind: null, isDefault: true })),
    );
    const off = { type: 'JOB_FAILED', channel: 'IN_APP', enabled: false };
    const on = { ...off, jobKind: 'PRODUCT_IMPORT', enabled: true };
    const { data } = await api.ask(UPDATE, { preferences: [{ ...off, enabled: true }, off, on] }, 'viewer');
    expect(data).toMatchObject({
      updateNotificationPreferences: {
        userErrors: [],
        preferences: expect.arrayContaining([
          { ...off, jobKind: null, isDefault: false },
          { ...on, isDefault: false },
        ]),
      },
    });
    const back = [off, on].map((preference) => ({ ...preference, enabled: null }));
    await api.ask(UPDATE, { preferences: back }, 'viewer');
    expect(await api.ask(READ, {}, 'viewer')).toEqual(defaults);
  });

  test('decide what their owner is told', async () => {
    const preferences = [{ type: 'JOB_FAILED', channel: 'IN_APP', enabled: false }];
    await api.ask(UPDATE, { preferences }, 'member');
    const before = (await list('member')).totalCount;
    await failJob({ triggered_by: `manual:${await emailOf('member')}` });
    expect((await list('member')).totalCount).toBe(before);
    await api.ask(UPDATE, { preferences: preferences.map((line) => ({ ...line, enabled: null })) }, 'member');
    await failJob({ triggered_by: `manual:${await emailOf('member')}` });
    expect((await list('member')).totalCount).toBe(before + 1);
  });

  test.each([
    ['nothing', []],
    ['a digest', [{ type: 'DIGEST', channel: 'EMAIL', enabled: true }]],
  ])('about %s are a mistake', async (_what, preferences) => {
    expect((await api.ask(UPDATE, { preferences }, 'viewer')).data).toMatchObject({
      updateNotificationPreferences: { userErrors: [{ code: 'INVALID' }] },
    });
  });
});
