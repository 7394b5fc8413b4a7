import type { Sql } from './db.ts';
import { IN_SCOPE, scopeValues, type PanelScope } from './panel-scope.ts';
import { prepared } from './prepared.ts';

/** Sales in one currency; amounts are exact decimals. */
export interface RevenueSum {
  /** YYYY-MM-DD; null: the whole period */
  readonly date: string | null;
  readonly currency: string;
  readonly gross: string;
  readonly refunds: string;
  readonly net: string;
  readonly orders: number;
}

const REVENUE = prepared(
  'panel revenue',
  `SELECT to_char(day, 'YYYY-MM-DD') AS date, currency, sum(gross)::text AS gross, sum(refunds)::text AS refunds,
          sum(gross - refunds)::text AS net, sum(orders)::float8 AS orders
   FROM revenue_days WHERE ${IN_SCOPE}
   GROUP BY GROUPING SETS ((day, currency), (currency))
   ORDER BY currency, day`,
);

/** By currency, and by currency and day; a day without sales has none. */
export async function revenueSums(sql: Sql, scope: PanelScope): Promise<RevenueSum[]> {
  const { rows } = await sql.query<RevenueSum>(REVENUE, scopeValues(scope));
  return rows;
}
