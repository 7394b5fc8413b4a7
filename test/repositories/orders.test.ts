import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { v7 as uuidv7 } from 'uuid';
import { toMoney } from '../../src/domain/money.ts';
import { addDays, dateIn, daysOf } from '../../src/domain/period.ts';
import type { Period } from '../../src/domain/period.ts';
import type { Database } from '../../src/repositories/db.ts';
import { orderSources, revenueOf } from '../../src/repositories/orders.ts';
import type { Revenue } from '../../src/repositories/orders.ts';
import { createTestDatabase } from '../support/database.ts';
import type { TestDatabase } from '../support/database.ts';
import { createOrganization } from '../support/organization.ts';

interface Order {
  readonly placedAt: Date;
  readonly currency: string;
  /** Millionths: what the column can hold exactly */
  readonly grossMicros: bigint;
  readonly refundedMicros: bigint;
}

let database: TestDatabase;
let db: Database;

beforeAll(async () => {
  database = await createTestDatabase();
  db = database.db;
});
afterAll(() => database.close());

function decimalOf(micros: bigint): string {
  const digits = String(micros < 0n ? -micros : micros).padStart(7, '0');
  return `${micros < 0n ? '-' : ''}${digits.slice(0, -6)}.${digits.slice(-6)}`;
}

async function insertOrders(organizationId: string, orders: readonly Order[], source = 'import') {
  await db.query(
    `INSERT INTO orders (id, organization_id, source, external_id, placed_at, currency, gross, refunded)
     SELECT id, $1, $2, id::text, placed_at, currency, gross, refunded
     FROM unnest($3::uuid[], $4::timestamptz[], $5::text[], $6::numeric[], $7::numeric[])
       AS given (id, placed_at, currency, gross, refunded)`,
    [
      organizationId,
      source,
      orders.map(() => uuidv7()),
      orders.map((order) => order.placedAt.toISOString()),
      orders.map((order) => order.currency),
      orders.map((order) => decimalOf(order.grossMicros)),
      orders.map((order) => decimalOf(order.refundedMicros)),
    ],
  );
}

function order(placedAt: string, grossMicros: bigint, more: Partial<Order> = {}): Order {
  return { placedAt: new Date(placedAt), currency: 'EUR', grossMicros, refundedMicros: 0n, ...more };
}

/** The same figures, one order at a time, in whole millionths and without SQL. */
function plainRevenue(orders: readonly Order[], timeZone: string, period: Period): Revenue {
  const days = daysOf(period);
  const dated = orders.map((one) => ({ ...one, date: dateIn(timeZone, one.placedAt) }));
  const sold = dated.filter(({ date }) => days.includes(date));
  const currencies = sold.length > 0 ? [...new Set(sold.map(({ currency }) => currency))].sort() : ['EUR'];
  const sums = (rows: readonly Order[], of: (row: Order) => bigint) =>
    currencies.map((currency) => {
      const own = rows.filter((row) => row.currency === currency);
      return toMoney(decimalOf(own.reduce((sum, row) => sum + of(row), 0n)), currency);
    });
  const netOf = (row: Order) => row.grossMicros - row.refundedMicros;
  return {
    gross: sums(sold, (row) => row.grossMicros),
    refunds: sums(sold, (row) => row.refundedMicros),
    net: sums(sold, netOf),
    orders: sold.length,
    series: days.map((date) => {
      const rows = sold.filter((row) => row.date === date);
      return { date, net: sums(rows, netOf), orders: rows.length };
    }),
  };
}

const HOUR_MS = 3_600_000;

/** One order every 20 minutes for three days either side of a day, in two currencies, some refunded more than sold. */
function ordersAround(day: string): Order[] {
  const start = Date.parse(`${day}T12:00:00Z`) - 72 * HOUR_MS;
  return Array.from({ length: 72 * 6 }, (_, index) => ({
    placedAt: new Date(start + index * (HOUR_MS / 3)),
    currency: index % 3 === 0 ? 'JPY' : 'EUR',
    grossMicros: BigInt(index + 1) * 1_234_567n,
    refundedMicros: index % 7 === 0 ? BigInt(index) * 2_000_001n : 0n,
  }));
}

describe('revenue equals what a plain sum over the orders gives', () => {
  test.each([
    ['Europe/Berlin', '2026-03-29'],
    ['Europe/Berlin', '2026-10-25'],
    ['America/New_York', '2026-11-01'],
    ['America/Havana', '2026-03-08'],
    ['America/Havana', '2026-11-01'],
    ['Australia/Lord_Howe', '2026-04-05'],
    ['Asia/Kathmandu', '2026-06-15'],
    ['Pacific/Kiritimati', '2026-12-31'],
    ['Pacific/Apia', '2011-12-30'],
  ])('in %s around %s', async (timeZone, day) => {
    const organization = await createOrganization(db, { timeZone });
    const orders = ordersAround(day);
    await insertOrders(organization.id, orders);
    const around = { from: addDays(day, -1), to: addDays(day, 1) };
    for (const period of [{ from: day, to: day }, { from: around.from, to: around.from }, around]) {
      expect(await revenueOf(db, organization, period)).toEqual(plainRevenue(orders, timeZone, period));
    }
  });
});

const week: Period = { from: '2026-06-01', to: '2026-06-07' };

describe('revenue', () => {
  test('is exact where floating point is not', async () => {
    const organization = await createOrganization(db);
    const large = order('2026-06-01T12:00:00Z', 12_345_678_901_234_560_000n);
    await insertOrders(organization.id, [
      large,
      order('2026-06-02T12:00:00Z', 100_000n),
      order('2026-06-02T12:00:00Z', 200_000n),
    ]);
    const revenue = await revenueOf(db, organization, week);
    expect(revenue.gross).toEqual([{ amount: '12345678901234.86', currency: 'EUR' }]);
    expect(revenue.series[1]?.net).toEqual([{ amount: '0.30', currency: 'EUR' }]);
  });

  test("of an organization without sales is one zero in its currency, on each of the period's days", async () => {
    const organization = await createOrganization(db, { currency: 'JPY' });
    const zero = [{ amount: '0', currency: 'JPY' }];
    expect(await revenueOf(db, organization, week)).toEqual({
      gross: zero,
      refunds: zero,
      net: zero,
      orders: 0,
      series: daysOf(week).map((date) => ({ date, net: zero, orders: 0 })),
    });
  });

  test('has a zero on days without sales, per currency of the period', async () => {
    const organization = await createOrganization(db, { timeZone: 'UTC' });
    await insertOrders(organization.id, [
      order('2026-06-01T12:00:00Z', 5_000_000n),
      order('2026-06-03T12:00:00Z', 7_000_000n, { currency: 'USD' }),
    ]);
    const { series } = await revenueOf(db, organization, week);
    expect(series.slice(0, 3).map(({ net }) => net.map(({ amount }) => amount))).toEqual([
      ['5.00', '0.00'],
      ['0.00', '0.00'],
      ['0.00', '7.00'],
    ]);
  });

  test("never counts another organization's orders", async () => {
    const [own, other] = [await createOrganization(db), await createOrganization(db)];
    await insertOrders(other.id, [order('2026-06-02T12:00:00Z', 1_000_000n)]);
    expect((await revenueOf(db, own, week)).orders).toBe(0);
    expect(await orderSources(db, own.id)).toEqual([]);
  });
});

test('the sources of orders are each listed once, in order', async () => {
  const organization = await createOrganization(db);
  const some = [order('2026-06-02T12:00:00Z', 1_000_000n), order('2026-06-03T12:00:00Z', 1_000_000n)];
  await insertOrders(organization.id, some, 'shopify');
  await insertOrders(organization.id, some, 'import');
  await insertOrders(organization.id, some, 'manual');
  expect(await orderSources(db, organization.id)).toEqual(['import', 'manual', 'shopify']);
});
