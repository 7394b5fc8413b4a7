import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { z } from 'zod';
import type { ProductLine } from '../../src/domain/facts.ts';
import { toPublicId } from '../../src/domain/ids.ts';
import type { FactOwner } from '../../src/repositories/fact-pages.ts';
import { startApi, type TestApi, type TestRole } from '../support/api.ts';
import {
  adDay,
  campaign,
  changeConnection,
  createSource,
  order,
  refund,
  socialDay,
  ticket,
  visits,
  writeFacts,
} from '../panels/feeding.ts';
import { fakeClock } from '../panels/support.ts';

let api: TestApi;
let shop: FactOwner;
let second: FactOwner;
let site: FactOwner;
let ads: FactOwner;
let pages: FactOwner;
beforeAll(async () => {
  api = await startApi({ clock: fakeClock() });
  const { db } = api.database;
  const { organization } = api;
  shop = await createSource(db, organization, 'revenue', { label: 'Shop' });
  second = await createSource(db, organization, 'revenue', { label: 'Outlet' });
  const payments = await createSource(db, organization, 'payments', { label: 'Payments' });
  await writeFacts(db, shop, [
    order('2026-05-31T12:00:00Z', '10', 'EUR', 'web'),
    order('2026-06-01T12:00:00Z', '20.50', 'EUR', 'web'),
    order('2026-06-01T13:00:00Z', '500', 'JPY', 'web'),
    refund('2026-06-03T12:00:00Z', '0.50'),
    order('2026-06-07T12:00:00Z', '1', 'EUR', 'pos'),
    order('2026-06-08T12:00:00Z', '2', 'EUR', 'pos'),
  ]);
  await writeFacts(db, second, [order('2026-06-01T12:00:00Z', '100', 'EUR', 'web')]);
  await writeFacts(db, payments, [order('2026-06-01T12:00:00Z', '9999')]);
  site = await createSource(db, organization, 'traffic', { label: 'Site' });
  await writeFacts(db, site, [
    visits('2026-06-01', [10, 30, 9]),
    visits('2026-06-01', [7, 20, 7], { channel: 'Direct' }),
    visits('2026-06-01', [4, 11, 4], { channel: 'Email' }),
    visits('2026-06-02', [5, 6, 4]),
    visits('2026-06-07', [40, 90, 11], { windowDays: 7 }),
  ]);
  ads = await createSource(db, organization, 'ads', { label: 'Ads' });
  await writeFacts(db, ads, [
    adDay('2026-06-01', '5', [100, 10], { conversions: 0.5 }),
    adDay('2026-06-02', '6.25', [50, 5], { conversions: 0.25 }),
    adDay('2026-06-02', '1', [10, 1], { campaign: 'Summer', account: 'Side' }),
    adDay('2026-06-03', '100', [1, 1], { campaign: 'Summer', account: 'Side', currency: 'JPY' }),
  ]);
  pages = await createSource(db, organization, 'social', { label: 'Pages' });
  await writeFacts(db, pages, [
    socialDay('2026-05-30', 'shop', [70, 0, 0]),
    socialDay('2026-06-01', 'shop', [null, 5, 2]),
    socialDay('2026-06-02', 'shop', [72, 6, 3]),
    socialDay('2026-06-02', 'shop', [30, 1, 1], 'instagram'),
  ]);
  const mail = await createSource(db, organization, 'email', { label: 'Mail' });
  await writeFacts(db, mail, [
    campaign('2026-06-01T10:00:00Z', 'Hello', [100, 40, 10, 1]),
    campaign('2026-06-04T10:00:00Z', 'Again', [50, 10, 5, 0]),
  ]);
  const desk = await createSource(db, organization, 'support', { label: 'Desk' });
  await writeFacts(db, desk, [
    ticket('2026-06-01T10:00:00Z', { channel: 'mail', firstReplyMinutes: 60 }),
    ticket('2026-06-02T10:00:00Z', {
      channel: 'chat',
      firstReplyMinutes: 1,
      solvedAt: '2026-06-02T12:00:00Z',
      satisfaction: 'good',
    }),
    ticket('2026-06-02T11:00:00Z', {
      solvedAt: '2026-06-03T12:00:00Z',
      satisfaction: 'bad',
    }),
  ]);
});
afterAll(() => api.close());

const node = z.looseObject({
  from: z.string(),
  key: z.string(),
  label: z.string(),
  net: z.array(z.looseObject({ amount: z.string() })).optional(),
});

const connection = z.object({
  totalCount: z.int(),
  pageInfo: z.object({ hasNextPage: z.boolean(), endCursor: z.string().nullable() }),
  edges: z.array(z.object({ cursor: z.string(), node })),
  totals: z.any(),
  sources: z.any(),
});
type Rows = z.infer<typeof connection>;

const FIGURES: Readonly<Record<string, string>> = {
  revenue: 'gross { amount currency } refunds { amount } net { amount currency } orders',
  traffic: 'sessions pageviews users',
  ads: 'spend { amount currency } impressions clicks conversions',
  social: 'followers impressions engagements',
  email: 'sent opens clicks unsubscribes',
  support: 'opened solved firstResponseMinutesMedian satisfactionPercent',
};

/** What rows have and totals have not. */
const OF_ROWS: Readonly<Record<string, string>> = { revenue: 'units' };

async function read(
  panel: string,
  args: string,
  role: TestRole | 'stranger' = 'viewer',
  period = '{ range: { from: "2026-06-01", to: "2026-06-30" } }',
): Promise<Rows> {
  const figures = FIGURES[panel] ?? '';
  const { data, errors } = await api.ask(
    `{ ${panel}(period: ${period}, ${args}) { totalCount pageInfo { hasNextPage endCursor }
      totals { ${figures} } sources { label included state }
      edges { cursor node { from to key label ${figures} ${OF_ROWS[panel] ?? ''} } } } }`,
    {},
    role,
  );
  expect(errors).toEqual([]);
  return connection.parse(data?.[panel]);
}

const nodesOf = ({ edges }: Rows) => edges.map((edge) => edge.node);
const sourceKey = ({ connectionId }: FactOwner) => toPublicId('connection', connectionId);
const eur = (amount: string) => ({ amount, currency: 'EUR' });

describe('revenue in detail', () => {
  test('by week: weeks begin on Monday, and the last is cut to the period', async () => {
    const rows = await read(
      'revenue',
      'granularity: WEEK',
      'viewer',
      '{ range: { from: "2026-05-31", to: "2026-06-09" } }',
    );
    expect(nodesOf(rows)).toEqual([
      {
        from: '2026-05-31',
        to: '2026-05-31',
        key: '',
        label: 'All',
        gross: [eur('10.00')],
        refunds: [{ amount: '0.00' }],
        net: [eur('10.00')],
        orders: 1,
        units: null,
      },
      {
        from: '2026-06-01',
        to: '2026-06-07',
        key: '',
        label: 'All',
        gross: [eur('121.50'), { amount: '500', currency: 'JPY' }],
        refunds: [{ amount: '0.50' }, { amount: '0' }],
        net: [eur('121.00'), { amount: '500', currency: 'JPY' }],
        orders: 4,
        units: null,
      },
      {
        from: '2026-06-08',
        to: '2026-06-09',
        key: '',
        label: 'All',
        gross: [eur('2.00')],
        refunds: [{ amount: '0.00' }],
        net: [eur('2.00')],
        orders: 1,
        units: null,
      },
    ]);
    expect(rows).toMatchObject({
      totalCount: 3,
      totals: { gross: [eur('133.50'), { amount: '500' }], orders: 6 },
      sources: [
        { label: 'Shop', included: true, state: 'READY' },
        { label: 'Outlet', included: true },
        { label: 'Payments', included: false },
      ],
    });
  });

  test('by channel and by source, within a month', async () => {
    const channels = nodesOf(await read('revenue', 'granularity: MONTH, groupBy: CHANNEL'));
    expect(
      channels.map(({ from, to, key, label, net, orders }) => [
        from,
        to,
        key,
        label,
        net?.[0]?.amount,
        orders,
      ]),
    ).toEqual([
      ['2026-06-01', '2026-06-30', '', 'Unknown', '-0.50', 0],
      ['2026-06-01', '2026-06-30', 'pos', 'pos', '3.00', 2],
      ['2026-06-01', '2026-06-30', 'web', 'web', '120.50', 3],
    ]);
    const sources = nodesOf(await read('revenue', 'granularity: MONTH, groupBy: SOURCE'));
    expect(sources.map(({ key, label, orders }) => [key, label, orders])).toEqual([
      [sourceKey(shop), 'Shop', 4],
      [sourceKey(second), 'Outlet', 1],
    ]);
  });

  test('by product: each with its pieces, and as no product’s what no line tells of', async () => {
    const owner = await createSource(api.database.db, api.organization, 'revenue', { label: 'Deli' });
    const line = (productKey: string, quantity: number, amount: string): ProductLine => ({
      ...{ productKey, product: productKey.toUpperCase(), quantity, amount },
    });
    await writeFacts(api.database.db, owner, [
      // Twice the same product, and 4.90 for shipping.
      order('2026-07-01T12:00:00Z', '34.90', 'EUR', null, [
        line('tea', 1, '10'),
        line('tea', 1, '8'),
        line('mug', 2, '12'),
      ]),
      order('2026-07-02T12:00:00Z', '12', 'EUR', null, [line('mug', 2, '12')]),
      order('2026-07-02T12:00:00Z', '500', 'JPY', null, [line('mug', 3, '500')]),
      order('2026-07-03T12:00:00Z', '7'),
      refund('2026-07-03T12:00:00Z', '9', 'EUR', [line('mug', 1, '6')]),
    ]);
    const july = '{ range: { from: "2026-07-01", to: "2026-07-31" } }';
    const rows = await read('revenue', 'granularity: MONTH, groupBy: PRODUCT', 'viewer', july);
    const key = sourceKey(owner);
    expect(nodesOf(rows)).toMatchObject([
      {
        ...{ key: `${key}/`, label: 'Shipping, taxes and others', units: 0, orders: 1 },
        ...{ gross: [eur('11.90')], refunds: [{ amount: '3.00' }] },
      },
      {
        ...{ key: `${key}/mug`, label: 'MUG', units: 7, orders: 3 },
        ...{
          gross: [eur('24.00'), { amount: '500', currency: 'JPY' }],
          net: [eur('18.00'), { amount: '500' }],
        },
      },
      { key: `${key}/tea`, label: 'TEA', units: 2, orders: 1, gross: [eur('18.00')] },
    ]);
    expect(rows).toMatchObject({ totalCount: 3, totals: { gross: [eur('53.90'), { amount: '500' }] } });
    await changeConnection(api.database.db, owner, { disconnected_at: new Date() });
  });

  test('comes in pages that lose and repeat nothing, also where many rows share a day', async () => {
    const whole = await read('revenue', 'groupBy: CHANNEL, first: 100');
    expect(whole.edges.map(({ node: row }) => `${row.from} ${row.key}`)).toEqual([
      '2026-06-01 web',
      '2026-06-03 ',
      '2026-06-07 pos',
      '2026-06-08 pos',
    ]);
    for (const granularity of ['DAY', 'MONTH']) {
      const all = await read('revenue', `granularity: ${granularity}, groupBy: CHANNEL, first: 100`);
      const paged: unknown[] = [];
      let after = 'null';
      for (let page = 0; page < 10; page += 1) {
        const rows = await read(
          'revenue',
          `granularity: ${granularity}, groupBy: CHANNEL, first: 1, after: ${after}`,
        );
        expect(rows.totalCount).toBe(all.totalCount);
        paged.push(...nodesOf(rows));
        if (!rows.pageInfo.hasNextPage) break;
        after = JSON.stringify(rows.pageInfo.endCursor);
      }
      expect(paged).toEqual(nodesOf(all));
    }
  });

  test('has nothing for a stranger', async () => {
    const rows = await read('revenue', 'groupBy: SOURCE', 'stranger');
    expect(rows).toMatchObject({ totalCount: 0, edges: [], sources: [] });
  });

  test('refuses a cursor of another list, and a period that is none', async () => {
    const { pageInfo } = await read('revenue', 'groupBy: CHANNEL, first: 1');
    const cursor = JSON.stringify(pageInfo.endCursor);
    const other = await api.ask(`{ revenue(groupBy: SOURCE, after: ${cursor}) { totalCount } }`);
    expect(other.errors).toMatchObject([{ extensions: { code: 'BAD_USER_INPUT', argument: ['after'] } }]);
    const none = await api.ask('{ ads(period: { days: 0 }) { totalCount } }');
    expect(none.errors).toMatchObject([
      { extensions: { code: 'BAD_USER_INPUT', argument: ['period', 'days'] } },
    ]);
    const many = await api.ask('{ ads(first: 101) { totalCount } }');
    expect(many.errors).toMatchObject([{ extensions: { argument: ['first'] } }]);
  });
});

describe('traffic in detail', () => {
  test('counts each day once, and knows users only for windows that the provider counted', async () => {
    const days = nodesOf(await read('traffic', 'granularity: DAY'));
    expect(days.map(({ from, sessions, pageviews, users }) => [from, sessions, pageviews, users])).toEqual([
      ['2026-06-01', 10, 30, 9],
      ['2026-06-02', 5, 6, 4],
    ]);
    const week = nodesOf(await read('traffic', 'granularity: WEEK, groupBy: SOURCE'));
    expect(week).toMatchObject([
      { key: sourceKey(site), label: 'Site', sessions: 15, pageviews: 36, users: 11 },
    ]);
    expect(nodesOf(await read('traffic', 'granularity: MONTH'))).toMatchObject([
      { sessions: 15, users: null },
    ]);
  });

  test('by channel, where a day that is told as a whole is of an unknown one', async () => {
    const rows = nodesOf(await read('traffic', 'granularity: WEEK, groupBy: CHANNEL'));
    expect(rows.map(({ key, label, sessions, users }) => [key, label, sessions, users])).toEqual([
      ['', 'Unknown', 5, null],
      ['Direct', 'Direct', 7, null],
      ['Email', 'Email', 4, null],
    ]);
  });
});

test('ads by campaign, account and source', async () => {
  const key = sourceKey(ads);
  const campaigns = nodesOf(await read('ads', 'granularity: MONTH, groupBy: CAMPAIGN'));
  expect(campaigns).toMatchObject([
    { key: `${key}/spring`, label: 'Spring', spend: [eur('11.25')], impressions: 150, conversions: 0.75 },
    {
      key: `${key}/summer`,
      label: 'Summer',
      spend: [eur('1.00'), { amount: '100', currency: 'JPY' }],
      clicks: 2,
    },
  ]);
  const accounts = nodesOf(await read('ads', 'granularity: MONTH, groupBy: ACCOUNT'));
  expect(accounts.map((row) => [row['key'], row['label']])).toEqual([
    [`${key}/Main`, 'Main'],
    [`${key}/Side`, 'Side'],
  ]);
  const sources = await read('ads', 'granularity: MONTH, groupBy: SOURCE');
  expect(sources).toMatchObject({
    edges: [{ node: { key, label: 'Ads', impressions: 161 } }],
    totals: { spend: [eur('12.25'), { amount: '100', currency: 'JPY' }], conversions: 0.75 },
  });
});

test('social by network and account, with the followers that were known at the end of each row', async () => {
  const days = nodesOf(await read('social', 'granularity: DAY'));
  expect(days.map(({ from, followers, impressions }) => [from, followers, impressions])).toEqual([
    ['2026-06-01', 70, 5],
    ['2026-06-02', 102, 7],
  ]);
  const networks = nodesOf(await read('social', 'granularity: DAY, groupBy: NETWORK'));
  expect(networks.map(({ from, key, followers }) => [from, key, followers])).toEqual([
    ['2026-06-01', 'facebook', 70],
    ['2026-06-02', 'facebook', 72],
    ['2026-06-02', 'instagram', 30],
  ]);
  const accounts = await read('social', 'granularity: MONTH, groupBy: ACCOUNT');
  expect(nodesOf(accounts).map(({ key, label, followers }) => [key, label, followers])).toEqual([
    [`${sourceKey(pages)}/facebook shop`, 'shop', 72],
    [`${sourceKey(pages)}/instagram shop`, 'shop', 30],
  ]);
  expect(accounts.totals).toEqual({ followers: 102, impressions: 12, engagements: 6 });
});

test('e-mail by campaign', async () => {
  const rows = await read('email', 'granularity: DAY, groupBy: CAMPAIGN');
  expect(nodesOf(rows)).toMatchObject([
    { from: '2026-06-01', label: 'Hello', sent: 100, unsubscribes: 1 },
    { from: '2026-06-04', label: 'Again', sent: 50, opens: 10 },
  ]);
  expect(rows.totals).toEqual({ sent: 150, opens: 50, clicks: 15, unsubscribes: 1 });
});

test('support by channel, with medians of the merged days and shares of the rated', async () => {
  const month = await read('support', 'granularity: MONTH');
  expect(nodesOf(month)).toMatchObject([{ opened: 3, solved: 2, satisfactionPercent: 50 }]);
  expect(nodesOf(month)[0]?.['firstResponseMinutesMedian']).toBeCloseTo(1, 0);
  const channels = nodesOf(await read('support', 'granularity: MONTH, groupBy: CHANNEL'));
  expect(
    channels.map((row) => [row['label'], row['opened'], row['solved'], row['satisfactionPercent']]),
  ).toEqual([
    ['Unknown', 1, 1, 0],
    ['chat', 1, 1, 100],
    ['mail', 1, 0, null],
  ]);
});

test("an account's rows go with it", async () => {
  await changeConnection(api.database.db, second, { disconnected_at: new Date() });
  const rows = nodesOf(await read('revenue', 'granularity: MONTH, groupBy: SOURCE'));
  expect(rows.map(({ label }) => label)).toEqual(['Shop']);
});
