import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { newUuid } from '../../src/domain/ids.ts';
import type { RevenueSources } from '../../src/domain/revenue-sources.ts';
import { sourcesOf } from '../../src/panels/sources.ts';
import { panelSources } from '../../src/repositories/panel-sources.ts';
import { createTestDatabase, type TestDatabase } from '../support/database.ts';
import { seedJobs } from '../support/job-rows.ts';
import { createOrganization, type TestOrganization } from '../support/organization.ts';
import { planOf } from '../support/plan.ts';
import { addEntity, changeConnection, createSource, SYNCED_AT } from './feeding.ts';

let database: TestDatabase;
let organization: TestOrganization;
beforeAll(async () => {
  database = await createTestDatabase();
});
afterAll(() => database.close());

const now = new Date('2026-06-15T12:00:00Z');
const retryAt = new Date('2026-06-15T13:00:00Z');
const fresh = async (): Promise<TestOrganization> => (organization = await createOrganization(database.db));
const read = (panel: Parameters<typeof sourcesOf>[2], id = organization.id) =>
  sourcesOf(database.db, id, panel, now);
const hoursAgo = (hours: number): Date => new Date(now.getTime() - hours * 3_600_000);

describe('an account', () => {
  const down = { failureCode: 'PROVIDER_UNAVAILABLE', failureMessage: 'It does not answer.' };
  const refused = { failureCode: 'PROVIDER_AUTH', failureMessage: 'The token was revoked.' };
  test.each([
    ['that was read within two intervals', {}, {}, { state: 'READY', asOf: SYNCED_AT }],
    ['read exactly two intervals ago', { syncedAt: hoursAgo(2) }, {}, { state: 'READY', asOf: hoursAgo(2) }],
    [
      'read longer ago than two intervals',
      { syncedAt: new Date(hoursAgo(2).getTime() - 1) },
      {},
      { state: 'STALE', failure: null },
    ],
    [
      'with an interval of a day, read a day ago',
      { syncedAt: hoursAgo(24) },
      { sync_every_seconds: 86_400 },
      { state: 'READY' },
    ],
    ['never read', { syncedAt: null }, {}, { state: 'LOADING' }],
    [
      'that failed after it was read',
      down,
      {},
      {
        state: 'STALE',
        asOf: SYNCED_AT,
        failure: { code: 'SOURCE_FAILED', message: 'It does not answer.', retryAt },
      },
    ],
    [
      'that failed before it was ever read',
      { ...down, syncedAt: null },
      {},
      { state: 'FAILED', failure: { code: 'SOURCE_FAILED', retryAt } },
    ],
    [
      'whose entity was refused',
      { ...refused, syncedAt: null },
      {},
      { state: 'FAILED', failure: { code: 'SOURCE_AUTH', message: 'The token was revoked.' } },
    ],
    [
      'without the permission',
      { ...refused, failureCode: 'PROVIDER_FORBIDDEN' },
      {},
      { state: 'STALE', asOf: SYNCED_AT, failure: { code: 'SOURCE_AUTH' } },
    ],
    [
      'whose credentials are refused',
      {},
      {
        refused_at: SYNCED_AT,
        next_sync_at: null,
        failure_code: 'PROVIDER_AUTH',
        failure_message: 'Sign in.',
      },
      { state: 'STALE', failure: { code: 'SOURCE_AUTH', message: 'Sign in.', retryAt: null } },
    ],
    [
      'that is refused without a word',
      { syncedAt: null },
      { refused_at: SYNCED_AT, next_sync_at: null },
      {
        state: 'FAILED',
        failure: { code: 'SOURCE_AUTH', message: 'The account refuses the credentials: connect it again.' },
      },
    ],
    [
      'that is paused, read not long ago',
      {},
      { paused_at: SYNCED_AT, next_sync_at: null },
      { state: 'READY', asOf: SYNCED_AT },
    ],
    [
      'that is paused and was read long ago',
      { syncedAt: hoursAgo(100) },
      { paused_at: hoursAgo(99), next_sync_at: null },
      { state: 'STALE', failure: null },
    ],
    [
      'of which another entity fails',
      {},
      { failure_code: 'PROVIDER_REJECTED', failure_message: 'No products.' },
      { state: 'READY' },
    ],
  ])('%s', async (_what, entity, connection, expected) => {
    const source = await createSource(database.db, await fresh(), 'ads', { label: 'Ads Ltd.', ...entity });
    await changeConnection(database.db, source, { next_sync_at: retryAt, ...connection });
    const { reports, counted } = await read('ads');
    expect(reports).toMatchObject([{ label: 'Ads Ltd.', counted: true, ...expected }]);
    expect(counted).toEqual([source.connectionId]);
  });

  test('that is disconnected is no source', async () => {
    const source = await createSource(database.db, await fresh(), 'ads');
    await changeConnection(database.db, source, { disconnected_at: SYNCED_AT });
    expect(await read('ads')).toEqual({ reports: [], counted: [], refreshJobId: null });
  });

  test('is a source of the panels that its entities feed, and of no other', async () => {
    const source = await createSource(database.db, await fresh(), 'ads');
    await addEntity(database.db, source, 'social', { entity: 'posts' });
    await addEntity(database.db, source, null, { entity: 'products' });
    const found = await Promise.all(
      (['ads', 'social', 'email'] as const).map(async (panel) => (await read(panel)).counted.length),
    );
    expect(found).toEqual([1, 1, 0]);
    expect((await panelSources(database.db, organization.id, ['ads', 'social'])).length).toBe(2);
  });

  test('of another organization is none', async () => {
    await createSource(database.db, await fresh(), 'ads');
    const stranger = await createOrganization(database.db);
    expect((await read('ads', stranger.id)).reports).toEqual([]);
  });

  test('without a name has that of its provider', async () => {
    await createSource(database.db, await fresh(), 'ads', { label: '' });
    expect((await read('ads')).reports).toMatchObject([{ label: 'test' }]);
  });
});

describe('an account with several entities for a panel is one source', () => {
  test.each([
    ['as old as the oldest', { syncedAt: hoursAgo(1) }, { state: 'READY', asOf: hoursAgo(1) }],
    ['stale when one is', { syncedAt: hoursAgo(9) }, { state: 'STALE', asOf: hoursAgo(9), failure: null }],
    [
      'that shows what it has when one of them fails',
      { syncedAt: null, failureCode: 'PROVIDER_FORBIDDEN' },
      { state: 'STALE', asOf: SYNCED_AT, failure: { code: 'SOURCE_AUTH' } },
    ],
    ['that shows what it has while one is new', { syncedAt: null }, { state: 'READY', asOf: SYNCED_AT }],
  ])('%s', async (_what, other, expected) => {
    const source = await createSource(database.db, await fresh(), 'social');
    await addEntity(database.db, source, 'social', { entity: 'instagram', ...other });
    const { reports, counted } = await read('social');
    expect(reports).toMatchObject([expected]);
    expect(counted).toEqual([source.connectionId]);
  });
});

describe('revenue counts no sale twice', () => {
  const choose = (choice: RevenueSources) =>
    database.db.query('UPDATE organizations SET revenue_sources = $2 WHERE id = $1', [
      organization.id,
      choice,
    ]);
  test.each<[RevenueSources, boolean, readonly string[]]>([
    ['auto', true, ['Shop']],
    ['auto', false, ['Payments']],
    ['shops', true, ['Shop']],
    ['shops', false, []],
    ['payments', true, ['Payments']],
    ['payments', false, ['Payments']],
    ['all', true, ['Shop', 'Payments']],
    ['all', false, ['Payments']],
  ])('with the choice "%s" and a shop: %s', async (choice, hasShop, expected) => {
    await fresh();
    const shop = hasShop
      ? [await createSource(database.db, organization, 'revenue', { label: 'Shop', syncedAt: null })]
      : [];
    const payments = await createSource(database.db, organization, 'payments', { label: 'Payments' });
    await choose(choice);
    const { reports, counted } = await read('revenue');
    expect(reports.filter((report) => report.counted).map(({ label }) => label)).toEqual(expected);
    expect(reports).toHaveLength(hasShop ? 2 : 1);
    const ids = { Shop: shop[0]?.connectionId, Payments: payments.connectionId };
    expect(counted).toEqual(expected.map((label) => (label === 'Shop' ? ids.Shop : ids.Payments)));
  });
});

describe('the job that fills a panel', () => {
  const live = async (kind: string, uniqueKey: string, status: 'pending' | 'completed' = 'pending') => {
    const [id] = await seedJobs(database.db, organization.id, { count: 1, status, kind });
    await database.db.query('UPDATE jobs SET unique_key = $2 WHERE id = $1', [id, uniqueKey]);
    return id;
  };

  test("is the live sync of an account of it, and not that of another panel's", async () => {
    const source = await createSource(database.db, await fresh(), 'ads', { syncedAt: null });
    await createSource(database.db, organization, 'email', { syncedAt: null });
    const id = await live('connector_sync', source.connectionId);
    expect((await read('ads')).refreshJobId).toBe(id);
    expect((await read('email')).refreshJobId).toBeNull();
  });

  test('is the live aggregation of the panel where no account syncs', async () => {
    await createSource(database.db, await fresh(), 'payments');
    const id = await live('revenue_aggregation', 'revenue');
    expect((await read('revenue')).refreshJobId).toBe(id);
  });

  test('is none once it has ended, and none of an account that is not there', async () => {
    const source = await createSource(database.db, await fresh(), 'ads');
    await live('connector_sync', source.connectionId, 'completed');
    await live('connector_sync', newUuid());
    expect((await read('ads')).refreshJobId).toBeNull();
  });
});

test('sources are found by indexes among many', async () => {
  const { db } = database;
  await fresh();
  await db.query(
    `INSERT INTO connections (id, organization_id, provider, account_key, label, config, created_by)
     SELECT gen_random_uuid(), $1, 'test', n::text, 'x', '{}', 'api:test' FROM generate_series(1, 3000) AS n`,
    [(await createOrganization(db)).id],
  );
  await db.query(
    `INSERT INTO connection_cursors (organization_id, connection_id, entity, feeds)
     SELECT organization_id, id, 'things', 'ads' FROM connections WHERE label = 'x'`,
  );
  await seedJobs(db, organization.id, { count: 3_000, status: 'completed', kind: 'connector_sync' });
  await db.query('ANALYZE connections, connection_cursors, jobs');
  const plan = await planOf(db, (sql) => panelSources(sql, organization.id, 'ads'));
  expect(plan).not.toMatch(/Seq Scan on (connections|connection_cursors|jobs)/);
});
