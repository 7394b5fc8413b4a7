import fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { Fact } from '../../src/domain/facts.ts';
import { writeRecordPage, type FactOwner, type RecordRow } from '../../src/repositories/fact-pages.ts';
import { refreshRollups } from '../../src/repositories/rollups.ts';
import { createConnection } from '../support/connection.ts';
import { createTestDatabase, type TestDatabase } from '../support/database.ts';
import { createOrganization } from '../support/organization.ts';

const TIME_ZONE = 'Europe/Berlin';

let database: TestDatabase;
let organizationId: string;
beforeAll(async () => {
  database = await createTestDatabase();
  organizationId = (await createOrganization(database.db, { timeZone: TIME_ZONE })).id;
});
afterAll(() => database.close());

const write = (owner: FactOwner, records: readonly RecordRow[], removed: readonly string[] = []) =>
  database.db.transaction(async (tx) => {
    const effect = await writeRecordPage(tx, owner, { entity: 'things', records, removed });
    if (effect) await refreshRollups(tx, owner, effect.touched);
    return effect;
  });

/** A record whose raw data is what it says, so that one SQL over the raw rows can be compared. */
const record = (key: string, facts: readonly Fact[]): RecordRow => ({ key, data: { facts }, facts });

const TABLES = [
  'revenue_days',
  'traffic_days',
  'ads_days',
  'social_days',
  'email_days',
  'support_days',
] as const;

/** Every rollup of a connection, in one order, without whose it is. */
async function rollupsOf({ connectionId }: FactOwner): Promise<unknown> {
  const all = await Promise.all(
    TABLES.map(async (table) => {
      const { rows } = await database.db.query<{ row: object }>(
        `SELECT to_jsonb(t) - 'organization_id' - 'connection_id' AS row FROM ${table} t WHERE connection_id = $1
         ORDER BY to_jsonb(t)::text`,
        [connectionId],
      );
      return [table, rows.map(({ row }) => row)];
    }),
  );
  return Object.fromEntries(all);
}

const MOMENTS = [
  '2026-03-28T22:30:00Z',
  '2026-03-29T01:30:00Z',
  '2026-03-29T21:59:59Z',
  '2026-03-29T22:00:00Z',
  '2026-10-25T00:30:00Z',
];
const moment = fc.constantFrom(...MOMENTS).map((text) => new Date(text));
const day = fc.constantFrom('2026-03-28', '2026-03-29', '2026-03-30');
const currency = fc.constantFrom('EUR', 'JPY', 'KWD');
const amount = fc.constantFrom('0', '12.5', '0.000001', '99999999999.999999', '7');
const whole = fc.nat({ max: 1_000_000 });

/** What a record of this key says in one of its versions. */
const factsOf = (key: string): fc.Arbitrary<Fact[]> =>
  fc.oneof(
    fc
      .tuple(
        moment,
        currency,
        amount,
        fc.option(fc.constantFrom('web', 'pos')),
        fc.array(fc.tuple(moment, amount), { maxLength: 2 }),
      )
      .map(([at, money, gross, channel, refunds]): Fact[] => [
        { type: 'order', key, at, currency: money, gross, channel, customerKey: null },
        ...refunds.map(([when, given], index): Fact => ({
          type: 'refund',
          key: `${key}-${index}`,
          orderKey: key,
          at: when,
          currency: money,
          amount: given,
        })),
      ]),
    fc.tuple(day, currency, amount, whole, whole).map(([on, money, spend, impressions, clicks]): Fact[] => [
      {
        ...{
          type: 'ad_day',
          key,
          day: on,
          account: 'a',
          campaignKey: `c${key}`,
          campaign: 'C',
          currency: money,
        },
        ...{ spend, impressions, clicks, conversions: 0.5, value: spend },
      },
    ]),
    fc
      .tuple(
        moment,
        fc.option(moment),
        fc.option(fc.constantFrom(0, 1, 30, 90_000)),
        fc.option(fc.constantFrom('good', 'bad')),
      )
      .map(([openedAt, solvedAt, firstReplyMinutes, satisfaction]): Fact[] => [
        { type: 'ticket', key, openedAt, solvedAt, firstReplyMinutes, satisfaction, channel: null },
      ]),
  );

const KEYS = ['1', '2', '3', '4', '5', '6'];
/** Older versions of some records, then the last of each, and which of them are gone at the end. */
const history = fc.record({
  older: fc.array(
    fc.constantFrom(...KEYS).chain((key) => factsOf(key).map((facts) => record(key, facts))),
    { maxLength: 8 },
  ),
  last: fc.tuple(...KEYS.map((key) => factsOf(key).map((facts) => record(key, facts)))),
  gone: fc.subarray(KEYS),
  order: fc.shuffledSubarray([...KEYS, ...KEYS], { minLength: 12 }),
  pageSize: fc.integer({ min: 1, max: 5 }),
});

function pagesOf<T>(items: readonly T[], size: number): T[][] {
  return Array.from({ length: Math.ceil(items.length / size) }, (_, page) =>
    items.slice(page * size, (page + 1) * size),
  );
}

/** The same figures, as one SQL over the raw rows of a connection. */
const RAW_REVENUE = `
  WITH raw AS (
    SELECT fact FROM source_records, jsonb_array_elements(data->'facts') AS fact WHERE connection_id = $1
  ), moneyed AS (
    SELECT ((fact->>'at')::timestamptz AT TIME ZONE $2)::date AS day, fact->>'currency' AS currency,
           CASE fact->>'type' WHEN 'order' THEN (fact->>'gross')::numeric ELSE 0 END AS gross,
           CASE fact->>'type' WHEN 'refund' THEN (fact->>'amount')::numeric ELSE 0 END AS refunds,
           CASE fact->>'type' WHEN 'order' THEN 1 ELSE 0 END AS orders
    FROM raw WHERE fact->>'type' IN ('order', 'refund')
  )
  SELECT day::text, currency, trim_scale(sum(gross))::text AS gross, trim_scale(sum(refunds))::text AS refunds, sum(orders)::int AS orders
  FROM moneyed GROUP BY GROUPING SETS ((day, currency), (currency)) ORDER BY day, currency`;
const ROLLED_REVENUE = `
  SELECT day::text, currency, trim_scale(sum(gross))::text AS gross, trim_scale(sum(refunds))::text AS refunds, sum(orders)::int AS orders
  FROM revenue_days WHERE connection_id = $1 GROUP BY GROUPING SETS ((day, currency), (currency)) ORDER BY day, currency`;
const RAW_TICKETS = `
  WITH raw AS (
    SELECT fact FROM source_records, jsonb_array_elements(data->'facts') AS fact
    WHERE connection_id = $1 AND fact->>'type' = 'ticket'
  )
  SELECT day::text, sum(opened)::int AS opened, sum(solved)::int AS solved, sum(good)::int AS good, sum(bad)::int AS bad
  FROM (SELECT ((fact->>'openedAt')::timestamptz AT TIME ZONE $2)::date AS day, 1 AS opened, 0 AS solved, 0 AS good, 0 AS bad FROM raw
        UNION ALL
        SELECT ((fact->>'solvedAt')::timestamptz AT TIME ZONE $2)::date, 0, 1, (fact->>'satisfaction' IS NOT DISTINCT FROM 'good')::int,
               (fact->>'satisfaction' IS NOT DISTINCT FROM 'bad')::int
        FROM raw WHERE fact->>'solvedAt' IS NOT NULL) AS moments
  GROUP BY day ORDER BY day`;
const ROLLED_TICKETS = `
  SELECT day::text, sum(opened)::int AS opened, sum(solved)::int AS solved, sum(good)::int AS good, sum(bad)::int AS bad
  FROM support_days WHERE connection_id = $1 GROUP BY day ORDER BY day`;

describe('rollups', () => {
  it(
    'come to the same whatever the order and repetition of pages, and to what one SQL over the raw rows says',
    { timeout: 120_000 },
    async () => {
      await fc.assert(
        fc.asyncProperty(history, async ({ older, last, gone, order, pageSize }) => {
          const [straight, shuffled] = await Promise.all([
            createConnection(database.db, organizationId),
            createConnection(database.db, organizationId),
          ]);
          await write(
            straight,
            last.filter(({ key }) => !gone.includes(key)),
          );
          for (const page of pagesOf(older, pageSize)) await write(shuffled, page);
          const byKey = new Map(last.map((row) => [row.key, row]));
          const again = order.map((key) => byKey.get(key)).filter((row) => row !== undefined);
          for (const page of pagesOf(again, pageSize)) await write(shuffled, page);
          await write(shuffled, [], gone);
          expect(await rollupsOf(shuffled)).toEqual(await rollupsOf(straight));
          const asked = [shuffled.connectionId, TIME_ZONE];
          const { db } = database;
          expect((await db.query(ROLLED_REVENUE, asked.slice(0, 1))).rows).toEqual(
            (await db.query(RAW_REVENUE, asked)).rows,
          );
          expect((await db.query(ROLLED_TICKETS, asked.slice(0, 1))).rows).toEqual(
            (await db.query(RAW_TICKETS, asked)).rows,
          );
        }),
        { numRuns: 25 },
      );
    },
  );

  it('have the days of the organization, and a ticket on both of its days', async () => {
    const owner = await createConnection(database.db, organizationId);
    const late = new Date('2026-03-28T23:30:00Z');
    await write(owner, [
      record('o', [
        {
          type: 'order',
          key: 'o',
          at: late,
          currency: 'KWD',
          gross: '1.234',
          channel: 'web',
          customerKey: null,
        },
      ]),
      record('t', [
        {
          type: 'ticket',
          key: 't',
          openedAt: late,
          solvedAt: new Date('2026-03-30T10:00:00Z'),
          firstReplyMinutes: 30,
          satisfaction: 'good',
          channel: 'mail',
        },
      ]),
    ]);
    expect(await rollupsOf(owner)).toMatchObject({
      revenue_days: [
        { day: '2026-03-29', currency: 'KWD', channel: 'web', gross: 1.234, refunds: 0, orders: 1 },
      ],
      support_days: [
        { day: '2026-03-29', channel: 'mail', opened: 1, solved: 0, good: 0, first_replies: { '84': 1 } },
        { day: '2026-03-30', channel: 'mail', opened: 0, solved: 1, good: 1, first_replies: {} },
      ],
    });
  });

  it('the same page again changes nothing, and says so', async () => {
    const owner = await createConnection(database.db, organizationId);
    const page = [
      record('o', [
        {
          type: 'order',
          key: 'o',
          at: new Date(0),
          currency: 'EUR',
          gross: '1',
          channel: null,
          customerKey: null,
        },
      ]),
    ];
    expect(await write(owner, page)).toMatchObject({ changed: 1, unchanged: 0 });
    const again = await write(owner, page);
    expect(again).toMatchObject({ changed: 0, unchanged: 1, removed: 0 });
    expect(again?.touched.of('order', 'refund')).toEqual([]);
  });

  it('a fact that another record takes over leaves the day where it was', async () => {
    const owner = await createConnection(database.db, organizationId);
    const adDay = (on: string): Fact => ({
      ...{
        type: 'ad_day',
        key: 'k',
        day: on,
        account: 'a',
        campaignKey: 'c',
        campaign: 'C',
        currency: 'EUR',
      },
      ...{ spend: '1', impressions: 1, clicks: 1, conversions: 0, value: '0' },
    });
    await write(owner, [record('one', [adDay('2026-01-01')])]);
    await write(owner, [record('two', [adDay('2026-01-02')])]);
    expect(await rollupsOf(owner)).toMatchObject({ ads_days: [{ day: '2026-01-02', spend: 1 }] });
  });

  it('nothing is written for a connection that is gone, disconnected or another organization’s', async () => {
    const owner = await createConnection(database.db, organizationId);
    const stranger = { ...owner, organizationId: (await createOrganization(database.db)).id };
    const page = [
      record('o', [
        {
          type: 'order',
          key: 'o',
          at: new Date(0),
          currency: 'EUR',
          gross: '1',
          channel: null,
          customerKey: null,
        },
      ]),
    ];
    expect(await write(stranger, page)).toBeNull();
    await database.db.query('UPDATE connections SET disconnected_at = now() WHERE id = $1', [
      owner.connectionId,
    ]);
    expect(await write(owner, page)).toBeNull();
    expect(
      (await database.db.query('SELECT 1 FROM facts WHERE connection_id = $1', [owner.connectionId]))
        .rowCount,
    ).toBe(0);
  });
});
