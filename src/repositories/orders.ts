import { toMoney, zeroOf } from '../domain/money.ts';
import type { Money } from '../domain/money.ts';
import { daysOf } from '../domain/period.ts';
import type { Period } from '../domain/period.ts';
import type { Sql } from './db.ts';

/** Sales of a period. The lists of money have one entry per currency, in the order of the codes. */
export interface Revenue {
  readonly gross: Money[];
  readonly refunds: Money[];
  /** gross − refunds */
  readonly net: Money[];
  readonly orders: number;
  /** Each day of the period, oldest first; a day without sales has a zero per currency of the period */
  readonly series: { readonly date: string; readonly net: Money[]; readonly orders: number }[];
}

interface SumRow {
  /** Null: the whole period */
  readonly date: string | null;
  readonly currency: string;
  readonly gross: string;
  readonly refunds: string;
  readonly net: string;
  readonly orders: string;
}

/**
 * Days are the zone's own, by Postgres' time zone data. The range on `placed_at` is a day wider on either side than
 * the period and only there for the index: around a change of the clocks midnight may come twice or not at all.
 */
const REVENUE = `
  WITH days AS (
    SELECT (placed_at AT TIME ZONE $2)::date AS day, currency, sum(gross) AS gross, sum(refunded) AS refunded,
           count(*) AS orders
    FROM orders
    WHERE organization_id = $1
      AND placed_at >= ($3::date - 1)::timestamp AT TIME ZONE $2
      AND placed_at < ($4::date + 2)::timestamp AT TIME ZONE $2
    GROUP BY 1, 2
  )
  SELECT to_char(day, 'YYYY-MM-DD') AS date, currency, sum(gross)::text AS gross, sum(refunded)::text AS refunds,
         sum(gross - refunded)::text AS net, sum(orders)::text AS orders
  FROM days
  WHERE day BETWEEN $3::date AND $4::date
  GROUP BY GROUPING SETS ((day, currency), (currency))
  ORDER BY currency, day`;

/**
 * Gross, refunds and net per currency, whole and by day, all decimal arithmetic done by Postgres. Orders that were
 * placed within the period count; a refund counts on its order's day.
 */
export async function revenueOf(
  sql: Sql,
  organization: { readonly id: string; readonly timeZone: string; readonly currency: string },
  period: Period,
): Promise<Revenue> {
  const { id, timeZone, currency } = organization;
  const { rows } = await sql.query<SumRow>(REVENUE, [id, timeZone, period.from, period.to]);
  const totals = rows.filter((row) => row.date === null);
  const zero = [zeroOf(currency)];
  const sold = totals.length > 0;
  return {
    gross: sold ? totals.map((row) => toMoney(row.gross, row.currency)) : zero,
    refunds: sold ? totals.map((row) => toMoney(row.refunds, row.currency)) : zero,
    net: sold ? totals.map((row) => toMoney(row.net, row.currency)) : zero,
    orders: countOrders(totals),
    series: seriesOf(period, rows, sold ? totals.map((row) => row.currency) : [currency]),
  };
}

function seriesOf(period: Period, rows: readonly SumRow[], currencies: readonly string[]): Revenue['series'] {
  const sums = new Map(rows.map((row) => [`${row.date} ${row.currency}`, row]));
  return daysOf(period).map((date) => {
    const sold = currencies.map((currency) => ({ currency, row: sums.get(`${date} ${currency}`) }));
    return {
      date,
      net: sold.map(({ currency, row }) => toMoney(row?.net ?? '0', currency)),
      orders: countOrders(sold.flatMap(({ row }) => row ?? [])),
    };
  });
}

function countOrders(rows: readonly SumRow[]): number {
  return rows.reduce((sum, row) => sum + Number(row.orders), 0);
}

/** Sources listed at most. */
const SOURCES_MAX = 100;

/** One step through the index per source, however many orders it has; DISTINCT would read them all. */
const SOURCES = `
  WITH RECURSIVE found (source) AS (
    (SELECT source FROM orders WHERE organization_id = $1 ORDER BY source LIMIT 1)
    UNION ALL
    SELECT (SELECT source FROM orders WHERE organization_id = $1 AND source > found.source ORDER BY source LIMIT 1)
    FROM found WHERE found.source IS NOT NULL
  )
  SELECT source FROM found WHERE source IS NOT NULL LIMIT ${SOURCES_MAX}`;

/** Where the organization's orders come from, in the order of the names; empty when it never had one. */
export async function orderSources(sql: Sql, organizationId: string): Promise<string[]> {
  const { rows } = await sql.query<{ source: string }>(SOURCES, [organizationId]);
  return rows.map((row) => row.source);
}
