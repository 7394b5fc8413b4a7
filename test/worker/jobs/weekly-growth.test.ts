import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { GrowthMetric } from '../../../src/domain/growth.ts';
import { weeklyGrowth } from '../../../src/jobs/weekly-growth.ts';
import { readGrowth } from '../../../src/repositories/growth.ts';
import { openStorage } from '../../../src/storage/index.ts';
import { measureGrowth } from '../../../worker/jobs/weekly-growth.ts';
import {
  adDay,
  campaign,
  createSource,
  order,
  refund,
  socialDay,
  ticket,
  visits,
  writeFacts,
} from '../../panels/feeding.ts';
import { createTestDatabase, type TestDatabase } from '../../support/database.ts';
import { createTestJob } from '../../support/job-context.ts';
import { createOrganization, type TestOrganization } from '../../support/organization.ts';
import { planOf } from '../../support/plan.ts';

describe('weekly growth', () => {
  let database: TestDatabase;
  let organization: TestOrganization;
  beforeEach(async () => {
    database = await createTestDatabase();
    organization = await createOrganization(database.db);
  });
  afterEach(() => database.close());

  /** At noon of a day in Berlin. */
  const grow = async (weeks: number, today: string, of = organization) => {
    const storage = openStorage({ dataDir: '/nowhere' });
    const job = await createTestJob({
      db: database.db,
      storage,
      organization: of,
      kind: 'weekly_growth',
      input: { weeks },
    });
    const { ctx, end } = await job.attempt();
    const now = () => new Date(`${today}T10:00:00Z`);
    const output = weeklyGrowth.output.parse(await measureGrowth({ ...ctx, now }, { weeks }));
    await end();
    return output;
  };
  const metricOf = (
    output: Awaited<ReturnType<typeof grow>>,
    name: GrowthMetric,
    currency: string | null = null,
  ) => output.metrics.find((metric) => metric.name === name && metric.currency === currency);

  it('compares the days that are over, exactly to the cent, in each currency', async () => {
    const shop = await createSource(database.db, organization, 'revenue');
    await writeFacts(database.db, shop, [
      // Week of 1 June 2026, a Monday.
      order('2026-06-01T10:00:00Z', '100.10'),
      // Week of 8 June: Monday to Wednesday, then the rest of it.
      order('2026-06-08T10:00:00Z', '50.05'),
      order('2026-06-10T10:00:00Z', '49.95'),
      order('2026-06-14T10:00:00Z', '100.00'),
      refund('2026-06-14T11:00:00Z', '0.01'),
      // The week that is going on; the last order is of today, Thursday.
      order('2026-06-15T10:00:00Z', '125.00'),
      order('2026-06-18T08:00:00Z', '1000.00'),
      order('2026-06-16T10:00:00Z', '7', 'JPY'),
    ]);
    const output = await grow(4, '2026-06-18');
    expect(output).toMatchObject({ from: '2026-05-25', today: '2026-06-18' });
    expect(metricOf(output, 'net_revenue', 'EUR')).toEqual({
      name: 'net_revenue',
      currency: 'EUR',
      thisWeek: '1125.00',
      lastWeek: '199.99',
      soFar: '125.00',
      sameDaysLastWeek: '100.00',
      changePercent: 25,
      lastWeekChangePercent: expect.closeTo(99.79, 2) as number,
      // Through 0, 100.10 and 199.99: half of what lies between the ends.
      slopePerWeek: '99.995',
      weeks: [
        { from: '2026-05-25', value: '0.00', isWhole: true },
        { from: '2026-06-01', value: '100.10', isWhole: true },
        { from: '2026-06-08', value: '199.99', isWhole: true },
        { from: '2026-06-15', value: '1125.00', isWhole: false },
      ],
    });
    expect(metricOf(output, 'net_revenue', 'JPY')).toMatchObject({
      thisWeek: '7',
      lastWeek: '0',
      soFar: '7',
      changePercent: null,
    });
    expect(metricOf(output, 'orders')).toMatchObject({
      thisWeek: '3',
      lastWeek: '3',
      soFar: '2',
      sameDaysLastWeek: '2',
      changePercent: 0,
    });
  });

  it('adds sums of nineteen digits without losing one', async () => {
    const shop = await createSource(database.db, organization, 'revenue');
    await writeFacts(database.db, shop, [
      order('2026-06-08T10:00:00Z', '9999999999999999.01'),
      order('2026-06-09T10:00:00Z', '0.000001'),
    ]);
    expect(metricOf(await grow(2, '2026-06-15'), 'net_revenue', 'EUR')?.lastWeek).toBe(
      '9999999999999999.010001',
    );
  });

  it('says nothing about this week on a Monday, and of a single whole week no slope', async () => {
    const shop = await createSource(database.db, organization, 'revenue');
    await writeFacts(database.db, shop, [
      order('2026-06-08T10:00:00Z', '5'),
      order('2026-06-15T08:00:00Z', '9'),
    ]);
    expect(metricOf(await grow(2, '2026-06-15'), 'net_revenue', 'EUR')).toMatchObject({
      thisWeek: '9.00',
      lastWeek: '5.00',
      soFar: null,
      sameDaysLastWeek: null,
      changePercent: null,
      lastWeekChangePercent: null,
      slopePerWeek: null,
    });
  });

  it('begins weeks on Mondays of the calendar when the clock changes within them', async () => {
    const shop = await createSource(database.db, organization, 'revenue');
    await writeFacts(database.db, shop, [
      // The clock goes forward on Sunday, 29 March 2026 in Berlin: its last minute is 21:59 UTC.
      order('2026-03-22T23:00:00Z', '1'),
      order('2026-03-29T21:59:00Z', '2'),
      order('2026-03-29T22:00:00Z', '4'),
    ]);
    expect(metricOf(await grow(3, '2026-03-31'), 'net_revenue', 'EUR')?.weeks).toEqual([
      { from: '2026-03-16', value: '0.00', isWhole: true },
      { from: '2026-03-23', value: '3.00', isWhole: true },
      { from: '2026-03-30', value: '4.00', isWhole: false },
    ]);
  });

  it('has the other panels: sums by week, and followers as they last were', async () => {
    await writeFacts(database.db, await createSource(database.db, organization, 'traffic'), [
      visits('2026-06-09', [10, 20, 5]),
      visits('2026-06-09', [8, 16, 5], { channel: 'search' }),
      visits('2026-06-10', [3, 3, 3], { channel: 'search' }),
      visits('2026-06-14', [99, 99, 99], { windowDays: 7 }),
    ]);
    await writeFacts(database.db, await createSource(database.db, organization, 'ads'), [
      adDay('2026-06-09', '12.5', [1000, 30]),
    ]);
    await writeFacts(database.db, await createSource(database.db, organization, 'social'), [
      socialDay('2026-05-30', 'a', [100, 1, 1]),
      socialDay('2026-06-09', 'a', [110, 5, 2]),
      socialDay('2026-06-15', 'a', [null, 7, 3]),
      socialDay('2026-06-16', 'a', [121, 7, 3]),
      socialDay('2026-06-10', 'b', [10, 0, 0]),
    ]);
    await writeFacts(database.db, await createSource(database.db, organization, 'email'), [
      campaign('2026-06-09T10:00:00Z', 'News', [500, 100, 20, 1]),
    ]);
    await writeFacts(database.db, await createSource(database.db, organization, 'support'), [
      ticket('2026-06-09T10:00:00Z', { solvedAt: '2026-06-16T10:00:00Z' }),
    ]);
    const output = await grow(3, '2026-06-17');
    const weeks = Object.fromEntries(
      output.metrics.map(({ name, weeks: all }) => [name, all.map(({ value }) => value)]),
    );
    expect(weeks).toEqual({
      sessions: ['0', '13', '0'],
      ad_spend: ['0.00', '12.50', '0.00'],
      ad_impressions: ['0', '1000', '0'],
      ad_clicks: ['0', '30', '0'],
      followers: ['100', '120', '131'],
      social_impressions: ['0', '5', '14'],
      engagements: ['0', '2', '6'],
      emails_sent: ['0', '500', '0'],
      email_opens: ['0', '100', '0'],
      email_clicks: ['0', '20', '0'],
      tickets_opened: ['0', '1', '0'],
      tickets_solved: ['0', '0', '1'],
    });
    // Until Tuesday: 121 + 10, and on the Tuesday before: 110, as b was not known yet.
    expect(metricOf(output, 'followers')).toMatchObject({ soFar: '131', sameDaysLastWeek: '110' });
  });

  it('counts payments only where there is no shop, and nothing that was never read', async () => {
    const payments = await createSource(database.db, organization, 'payments');
    await writeFacts(database.db, payments, [order('2026-06-09T10:00:00Z', '3')]);
    expect(metricOf(await grow(2, '2026-06-17'), 'net_revenue', 'EUR')?.lastWeek).toBe('3.00');
    await createSource(database.db, organization, 'revenue');
    expect(metricOf(await grow(2, '2026-06-17'), 'net_revenue', 'EUR')?.lastWeek).toBe('0.00');
    await createSource(database.db, organization, 'email', { syncedAt: null });
    expect(metricOf(await grow(2, '2026-06-17'), 'emails_sent')).toBeUndefined();
  });

  it('of an organization without accounts is empty, whatever others have', async () => {
    const stranger = await createOrganization(database.db);
    const shop = await createSource(database.db, stranger, 'revenue');
    await writeFacts(database.db, shop, [order('2026-06-09T10:00:00Z', '3')]);
    expect(await grow(104, '2026-06-17')).toEqual({ from: '2024-06-24', today: '2026-06-17', metrics: [] });
  });

  it('reads days of the window by index', async () => {
    const shop = await createSource(database.db, organization, 'revenue');
    await database.db.query(
      `INSERT INTO revenue_days SELECT $1, $2, date '2010-01-01' + n, 'EUR', '', 1, 0, 1 FROM generate_series(0, 6000) AS n`,
      [shop.organizationId, shop.connectionId],
    );
    await database.db.query('ANALYZE');
    const none: readonly string[] = [];
    const plan = await planOf(database.db, (sql) =>
      readGrowth(sql, {
        organizationId: organization.id,
        connections: {
          revenue: [shop.connectionId],
          traffic: none,
          ads: none,
          social: none,
          email: none,
          support: none,
        },
        metrics: ['net_revenue', 'orders'],
        currency: 'EUR',
        from: '2026-05-04',
        today: '2026-06-17',
        weeks: 7,
        daysOver: 2,
      }),
    );
    expect(plan).toContain('revenue_days_pkey');
    expect(plan).not.toContain('Seq Scan on revenue_days');
  });
});
