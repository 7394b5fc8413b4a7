import type { Sql } from './db.ts';
import { IN_SCOPE, scopeValues, type PanelScope } from './panel-scope.ts';
import { prepared } from './prepared.ts';

/** Advertising paid in one currency. */
export interface AdsSum {
  /** YYYY-MM-DD; null: the whole period */
  readonly date: string | null;
  readonly currency: string;
  /** Exact decimal */
  readonly spend: string;
  readonly impressions: number;
  readonly clicks: number;
  readonly conversions: number;
}

/** Fractions of conversions are added as decimals: 0.1 and 0.2 make 0.3. */
const ADS = prepared(
  'panel ads',
  `SELECT to_char(day, 'YYYY-MM-DD') AS date, currency, sum(spend)::text AS spend, sum(impressions)::float8 AS impressions,
          sum(clicks)::float8 AS clicks, sum(conversions::numeric)::float8 AS conversions
   FROM ads_days WHERE ${IN_SCOPE}
   GROUP BY GROUPING SETS ((day, currency), (currency))
   ORDER BY currency, day`,
);

/** By currency, and by currency and day; a day without any has none. */
export async function adsSums(sql: Sql, scope: PanelScope): Promise<AdsSum[]> {
  const { rows } = await sql.query<AdsSum>(ADS, scopeValues(scope));
  return rows;
}
