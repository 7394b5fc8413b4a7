import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { PANEL_KEYS, type PanelKey } from '../../src/domain/panel.ts';
import { daysOf, type Period } from '../../src/domain/period.ts';
import { createPanels, type PanelValues } from '../../src/panels/index.ts';
import type { PanelReading } from '../../src/panels/reading.ts';
import { createTestDatabase, type TestDatabase } from '../support/database.ts';
import { silentLog } from '../support/log.ts';
import { createOrganization, type TestOrganization } from '../support/organization.ts';
import {
  adDay,
  campaign,
  changeConnection,
  createSource,
  order,
  refund,
  socialDay,
  SYNCED_AT,
  ticket,
  visits,
  writeFacts,
} from './feeding.ts';
import { fakeClock } from './support.ts';

let database: TestDatabase;
let organization: TestOrganization;
beforeAll(async () => {
  database = await createTestDatabase();
});
afterAll(() => database.close());

const week: Period = { from: '2026-06-08', to: '2026-06-14' };

async function read<K extends PanelKey>(key: K, period = week): Promise<PanelReading<PanelValues[K]>> {
  const panels = createPanels({ db: database.db, clock: fakeClock(), log: silentLog });
  return panels.read(key, organization, period);
}

async function valuesOf<K extends PanelKey>(key: K, period = week): Promise<PanelValues[K]> {
  const { values, state, failure } = await read(key, period);
  if (!values) throw new Error(`expected values, got ${state} ${failure?.message ?? ''}`);
  return values;
}

const fresh = async (more: Partial<TestOrganization> = {}): Promise<TestOrganization> =>
  (organization = await createOrganization(database.db, { timeZone: 'Europe/Berlin', ...more }));

describe('every panel', () => {
  test.each(PANEL_KEYS)('%s without a source is NOT_CONNECTED', async (key) => {
    await fresh();
    expect(await read(key)).toMatchObject({ state: 'NOT_CONNECTED', values: null, sources: [] });
  });

  test.each(PANEL_KEYS)(
    '%s of an account that was read and had nothing is READY, with zeros on each day',
    async (key) => {
      await createSource(database.db, await fresh({ currency: 'JPY' }), key, { label: 'Mine' });
      const reading = await read(key);
      expect(reading).toMatchObject({
        state: 'READY',
        asOf: SYNCED_AT,
        period: week,
        sources: [{ label: 'Mine', state: 'READY', included: true }],
      });
      const { series = [], ...totals } = reading.values ?? {};
      expect(series.map(({ date }) => date)).toEqual(daysOf(week));
      const numbers = JSON.stringify([totals, series]).match(/(?<=:)("?\d+(\.\d+)?"?)(?=[,}])/g);
      expect(new Set(numbers)).toEqual(new Set(key === 'revenue' || key === 'ads' ? ['"0"', '0'] : ['0']));
    },
  );

  test.each(PANEL_KEYS)('%s that was never filled is LOADING without values', async (key) => {
    await createSource(database.db, await fresh(), key, { syncedAt: null });
    expect(await read(key)).toMatchObject({ state: 'LOADING', values: null, refreshJobId: null });
  });

  test('has nothing of another organization, whose account it is', async () => {
    const other = await createSource(database.db, await fresh(), 'revenue');
    await writeFacts(database.db, other, [order('2026-06-09T10:00:00Z', '5')]);
    await createSource(database.db, await fresh(), 'revenue');
    expect((await valuesOf('revenue')).orders).toBe(0);
  });

  test('has nothing of an account that was disconnected', async () => {
    const gone = await createSource(database.db, await fresh(), 'revenue');
    await writeFacts(database.db, gone, [order('2026-06-09T10:00:00Z', '5')]);
    await changeConnection(database.db, gone, { disconnected_at: SYNCED_AT });
    expect((await read('revenue')).state).toBe('NOT_CONNECTED');
    await createSource(database.db, organization, 'revenue');
    expect((await valuesOf('revenue')).orders).toBe(0);
  });

  test('shows what a failing account had, as STALE, and says why', async () => {
    const source = await createSource(database.db, await fresh(), 'email', {
      failureCode: 'PROVIDER_UNAVAILABLE',
      failureMessage: 'It does not answer.',
    });
    await writeFacts(database.db, source, [campaign('2026-06-09T10:00:00Z', 'June', [10, 5, 2, 1])]);
    expect(await read('email')).toMatchObject({
      state: 'STALE',
      asOf: SYNCED_AT,
      failure: { code: 'SOURCE_FAILED', message: 'It does not answer.' },
      values: { sent: 10 },
    });
  });
});

describe('revenue', () => {
  test('sums orders and refunds exactly, each on its own day, per currency with its digits', async () => {
    const shop = await createSource(database.db, await fresh(), 'revenue');
    const other = await createSource(database.db, organization, 'revenue');
    await writeFacts(database.db, shop, [
      order('2026-06-08T10:00:00Z', '12345678901234.56'),
      order('2026-06-09T10:00:00Z', '0.1'),
      order('2026-06-09T11:00:00Z', '500', 'JPY'),
      refund('2026-06-10T10:00:00Z', '0.05'),
      order('2026-06-15T10:00:00Z', '7'),
    ]);
    await writeFacts(database.db, other, [
      order('2026-06-09T10:00:00Z', '0.2'),
      order('2026-06-09T10:00:00Z', '1.234', 'KWD'),
    ]);
    const { series, ...totals } = await valuesOf('revenue');
    const eur = (amount: string) => ({ amount, currency: 'EUR' });
    expect(totals).toEqual({
      gross: [
        eur('12345678901234.86'),
        { amount: '500', currency: 'JPY' },
        { amount: '1.234', currency: 'KWD' },
      ],
      refunds: [eur('0.05'), { amount: '0', currency: 'JPY' }, { amount: '0.000', currency: 'KWD' }],
      net: [
        eur('12345678901234.81'),
        { amount: '500', currency: 'JPY' },
        { amount: '1.234', currency: 'KWD' },
      ],
      orders: 5,
    });
    expect(series.map(({ net, orders }) => [...net.map(({ amount }) => amount), orders])).toEqual([
      ['12345678901234.56', '0', '0.000', 1],
      ['0.30', '500', '1.234', 4],
      ['-0.05', '0', '0.000', 0],
      ...Array.from({ length: 4 }, () => ['0.00', '0', '0.000', 0]),
    ]);
  });

  test.each([
    [
      'Europe/Berlin',
      '2026-03-29',
      ['2026-03-28T22:59:59Z', '2026-03-28T23:00:00Z', '2026-03-29T21:59:59Z', '2026-03-29T22:00:00Z'],
    ],
    [
      'Europe/Berlin',
      '2026-10-25',
      ['2026-10-24T21:59:59Z', '2026-10-24T22:00:00Z', '2026-10-25T22:59:59Z', '2026-10-25T23:00:00Z'],
    ],
    [
      'America/Havana',
      '2026-03-08',
      ['2026-03-08T04:59:59Z', '2026-03-08T05:00:00Z', '2026-03-09T03:59:59Z', '2026-03-09T04:00:00Z'],
    ],
    [
      'Asia/Kathmandu',
      '2026-06-15',
      ['2026-06-14T18:14:59Z', '2026-06-14T18:15:00Z', '2026-06-15T18:14:59Z', '2026-06-15T18:15:00Z'],
    ],
    [
      'Pacific/Kiritimati',
      '2026-12-31',
      ['2026-12-30T09:59:59Z', '2026-12-30T10:00:00Z', '2026-12-31T09:59:59Z', '2026-12-31T10:00:00Z'],
    ],
  ])("days are the zone's own: in %s on %s", async (timeZone, date, moments) => {
    const shop = await createSource(database.db, await fresh({ timeZone }), 'revenue');
    await writeFacts(
      database.db,
      shop,
      moments.map((at, index) => order(at, String(10 ** index))),
    );
    const { series } = await valuesOf('revenue', { from: date, to: date });
    expect(series).toEqual([{ date, net: [{ amount: '110.00', currency: 'EUR' }], orders: 2 }]);
  });

  test('counts payments only where there is no shop, and then each sale once', async () => {
    const payments = await createSource(database.db, await fresh(), 'payments', { label: 'Payments' });
    await writeFacts(database.db, payments, [order('2026-06-09T10:00:00Z', '20')]);
    expect(await valuesOf('revenue')).toMatchObject({ orders: 1, net: [{ amount: '20.00' }] });
    const shop = await createSource(database.db, organization, 'revenue', { label: 'Shop' });
    await writeFacts(database.db, shop, [order('2026-06-09T09:59:00Z', '20.50')]);
    expect(await read('revenue')).toMatchObject({
      values: { orders: 1, net: [{ amount: '20.50' }] },
      sources: [
        { label: 'Payments', included: false },
        { label: 'Shop', included: true },
      ],
    });
    await database.db.query(`UPDATE organizations SET revenue_sources = 'all' WHERE id = $1`, [
      organization.id,
    ]);
    expect((await valuesOf('revenue')).orders).toBe(2);
  });
});

describe('traffic', () => {
  test('counts a day once, although it is told by channel and as a whole', async () => {
    const site = await createSource(database.db, await fresh(), 'traffic');
    await writeFacts(database.db, site, [
      visits('2026-06-08', [10, 40, 9]),
      visits('2026-06-08', [6, 25, 6], { channel: 'Direct' }),
      visits('2026-06-08', [5, 16, 5], { channel: 'Email' }),
      visits('2026-06-09', [3, 4, 2], { channel: 'Direct' }),
      visits('2026-06-09', [2, 2, 2], { channel: 'Email' }),
      visits('2026-06-14', [12, 50, 8], { windowDays: 7 }),
      visits('2026-06-14', [99, 99, 99], { windowDays: 28 }),
    ]);
    const { series, ...totals } = await valuesOf('traffic');
    expect(totals).toEqual({ sessions: 15, pageviews: 46, users: 8 });
    expect(series.slice(0, 3)).toEqual([
      { date: '2026-06-08', sessions: 10, pageviews: 40, users: 9 },
      { date: '2026-06-09', sessions: 5, pageviews: 6, users: null },
      { date: '2026-06-10', sessions: 0, pageviews: 0, users: null },
    ]);
    const oneDay = await valuesOf('traffic', { from: '2026-06-08', to: '2026-06-08' });
    expect(oneDay.users).toBe(9);
    const noWindow = await valuesOf('traffic', { from: '2026-06-09', to: '2026-06-14' });
    expect(noWindow).toMatchObject({ users: null, sessions: 5 });
  });

  test('does not know the users of two sites together', async () => {
    await fresh();
    for (const users of [4, 5]) {
      const site = await createSource(database.db, organization, 'traffic');
      await writeFacts(database.db, site, [
        visits('2026-06-14', [users, 10, users]),
        visits('2026-06-14', [20, 30, 12], { windowDays: 7 }),
      ]);
    }
    const { series, ...totals } = await valuesOf('traffic');
    expect(totals).toEqual({ sessions: 9, pageviews: 20, users: null });
    expect(series.at(-1)).toEqual({ date: '2026-06-14', sessions: 9, pageviews: 20, users: null });
  });
});

test('ads sum spend per currency, and fractions of conversions without noise', async () => {
  const account = await createSource(database.db, await fresh(), 'ads');
  await writeFacts(database.db, account, [
    adDay('2026-06-08', '10.10', [100, 10], { conversions: 0.1 }),
    adDay('2026-06-08', '0.20', [50, 5], { campaign: 'Summer', conversions: 0.2 }),
    adDay('2026-06-09', '300', [7, 1], { currency: 'JPY' }),
    adDay('2026-06-07', '99', [9, 9]),
  ]);
  const { series, ...totals } = await valuesOf('ads');
  expect(totals).toEqual({
    spend: [
      { amount: '10.30', currency: 'EUR' },
      { amount: '300', currency: 'JPY' },
    ],
    impressions: 157,
    clicks: 16,
    conversions: 0.3,
  });
  expect(series.slice(0, 2)).toEqual([
    {
      date: '2026-06-08',
      spend: [
        { amount: '10.30', currency: 'EUR' },
        { amount: '0', currency: 'JPY' },
      ],
      impressions: 150,
      clicks: 15,
    },
    {
      date: '2026-06-09',
      spend: [
        { amount: '0.00', currency: 'EUR' },
        { amount: '300', currency: 'JPY' },
      ],
      impressions: 7,
      clicks: 1,
    },
  ]);
});

describe('social', () => {
  test('has the last known followers of each account, and adds up the rest', async () => {
    const page = await createSource(database.db, await fresh(), 'social');
    await writeFacts(database.db, page, [
      socialDay('2026-05-20', 'shop', [100, 1, 1]),
      socialDay('2026-06-09', 'shop', [110, 5, 2]),
      socialDay('2026-06-10', 'shop', [null, 7, 3]),
      socialDay('2026-06-10', 'shop', [40, 2, 1], 'instagram'),
      socialDay('2026-06-15', 'shop', [999, 9, 9]),
    ]);
    const { series, ...totals } = await valuesOf('social');
    expect(totals).toEqual({ followers: 150, impressions: 14, engagements: 6 });
    expect(series.map(({ followers }) => followers)).toEqual([100, 110, 150, 150, 150, 150, 150]);
    expect(series[2]).toEqual({ date: '2026-06-10', followers: 150, impressions: 9, engagements: 4 });
  });

  test('forgets followers that nobody told for 60 days', async () => {
    const page = await createSource(database.db, await fresh(), 'social');
    await writeFacts(database.db, page, [socialDay('2026-04-10', 'shop', [100, 0, 0])]);
    const { series, followers } = await valuesOf('social');
    expect(series.map((point) => point.followers)).toEqual([100, 100, null, null, null, null, null]);
    expect(followers).toBeNull();
  });

  test('works for the first days of the calendar', async () => {
    await createSource(database.db, await fresh(), 'social');
    expect((await read('social', { from: '0001-01-01', to: '0001-01-02' })).state).toBe('READY');
  });
});

test('email counts a campaign on the day it was sent, in the zone', async () => {
  const account = await createSource(database.db, await fresh(), 'email');
  await writeFacts(database.db, account, [
    campaign('2026-06-08T21:59:59Z', 'A', [100, 50, 20, 2]),
    campaign('2026-06-08T22:00:00Z', 'B', [10, 5, 1, 0]),
    campaign('2026-06-07T21:59:59Z', 'C', [1, 1, 1, 1]),
  ]);
  const { series, ...totals } = await valuesOf('email');
  expect(totals).toEqual({ sent: 110, opens: 55, clicks: 21, unsubscribes: 2 });
  expect(series.slice(0, 2)).toEqual([
    { date: '2026-06-08', sent: 100, opens: 50, clicks: 20 },
    { date: '2026-06-09', sent: 10, opens: 5, clicks: 1 },
  ]);
});

describe('support', () => {
  test('has what is open at the end, the median over all days, and the share of good ratings', async () => {
    const desk = await createSource(database.db, await fresh(), 'support');
    await writeFacts(database.db, desk, [
      ticket('2025-01-01T12:00:00Z'),
      ticket('2026-05-01T12:00:00Z', { solvedAt: '2026-06-09T12:00:00Z', satisfaction: 'good' }),
      ticket('2026-06-08T12:00:00Z', { firstReplyMinutes: 10 }),
      ticket('2026-06-08T13:00:00Z', {
        firstReplyMinutes: 30,
        solvedAt: '2026-06-10T12:00:00Z',
        satisfaction: 'good',
      }),
      ticket('2026-06-12T12:00:00Z', {
        firstReplyMinutes: 600,
        solvedAt: '2026-06-14T12:00:00Z',
        satisfaction: 'bad',
        channel: 'mail',
      }),
      ticket('2026-06-12T13:00:00Z', { solvedAt: '2026-06-15T12:00:00Z', satisfaction: 'bad' }),
      ticket('2026-06-15T12:00:00Z', { firstReplyMinutes: 1 }),
    ]);
    const { series, firstResponseMinutesMedian, ...totals } = await valuesOf('support');
    expect(totals).toEqual({ opened: 4, solved: 3, open: 3, satisfactionPercent: 66.67 });
    // 30 minutes, as near as a bucket tells.
    expect(firstResponseMinutesMedian).toBeGreaterThan(27);
    expect(firstResponseMinutesMedian).toBeLessThan(33);
    expect(series.map(({ opened, solved }) => [opened, solved])).toEqual([
      [2, 0],
      [0, 1],
      [0, 1],
      [0, 0],
      [2, 0],
      [0, 0],
      [0, 1],
    ]);
  });

  test('says nothing of replies and ratings where there are none', async () => {
    const desk = await createSource(database.db, await fresh(), 'support');
    await writeFacts(database.db, desk, [ticket('2026-06-08T12:00:00Z')]);
    expect(await valuesOf('support')).toMatchObject({
      open: 1,
      firstResponseMinutesMedian: null,
      satisfactionPercent: null,
    });
  });
});
