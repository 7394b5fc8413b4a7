import { FOLLOWERS_KNOWN_DAYS } from '../domain/followers.ts';
import { MONEY_METRICS, type GrowthMetric } from '../domain/growth.ts';
import type { PanelKey } from '../domain/panel.ts';
import type { Sql } from './db.ts';

/** Weeks of seven days, the first of which begins at `from` and the last of which holds `today`. */
export interface GrowthRequest {
  readonly organizationId: string;
  /** Uuids of the connections that count, by panel */
  readonly connections: Readonly<Record<PanelKey, readonly string[]>>;
  /** Those that are told even where there is nothing */
  readonly metrics: readonly GrowthMetric[];
  /** Of amounts where there are none */
  readonly currency: string;
  /** YYYY-MM-DD, a Monday */
  readonly from: string;
  readonly today: string;
  readonly weeks: number;
  /** Days of the last week that are over, 0 to 6 */
  readonly daysOver: number;
}

/** One figure, exact decimals all through. */
export interface GrowthRow {
  readonly metric: GrowthMetric;
  /** Empty: a count */
  readonly currency: string;
  /** Of each week, oldest first; null: unknown */
  readonly values: readonly (string | null)[];
  /** Of the days of the last week that are over, and of the same days of the one before */
  readonly soFar: string | null;
  readonly sameDays: string | null;
  /** Of the least squares through all weeks but the last, to six digits; null with less than two known */
  readonly slope: string | null;
}

const SCOPED = 'organization_id = $1 AND day BETWEEN $8::date AND $9::date AND connection_id = ANY';
const MONEY: ReadonlySet<string> = new Set(MONEY_METRICS);
/** Of each row of a table its figures, by name. */
const figures = (table: string, ids: string, sums: Readonly<Partial<Record<GrowthMetric, string>>>): string =>
  Object.entries(sums)
    .map(
      ([metric, value]) => `
    SELECT '${metric}', ${MONEY.has(metric) ? 'currency' : `''`}, day, (${value})::numeric
    FROM ${table} WHERE ${SCOPED}(${ids})`,
    )
    .join(' UNION ALL ');

/** A provider tells a day's visits by channels, and once more all together: that one is taken where it is. */
const SESSIONS = `
    SELECT 'sessions', '', day, coalesce(sum(sessions) FILTER (WHERE channel = ''), sum(sessions))
    FROM traffic_days WHERE ${SCOPED}($3::uuid[]) AND window_days = 1 GROUP BY day, connection_id`;

/** What an account's followers are holds until it is told anew, for so many days. */
const LEVEL = (end: string): string => `
  (SELECT sum(followers) FROM known WHERE known.day <= ${end} AND ${end} < until)`;

const GROWTH = `
  WITH week AS (
    SELECT week, least($8::date + 7 * week + 6, $9::date) AS last, $8::date + 7 * week + $10::int - 1 AS last_over
    FROM generate_series(0, $11::int - 1) AS week
  ), figure (metric, currency, day, value) AS (
    ${figures('revenue_days', '$2::uuid[]', { net_revenue: 'gross - refunds', orders: 'orders' })}
    UNION ALL ${SESSIONS}
    UNION ALL ${figures('ads_days', '$4::uuid[]', { ad_spend: 'spend', ad_impressions: 'impressions', ad_clicks: 'clicks' })}
    UNION ALL ${figures('social_days', '$5::uuid[]', { social_impressions: 'impressions', engagements: 'engagements' })}
    UNION ALL ${figures('email_days', '$6::uuid[]', { emails_sent: 'sent', email_opens: 'opens', email_clicks: 'clicks' })}
    UNION ALL ${figures('support_days', '$7::uuid[]', { tickets_opened: 'opened', tickets_solved: 'solved' })}
  ), sums AS MATERIALIZED (
    SELECT metric, currency, (day - $8::date) / 7 AS week, sum(value) AS value,
           coalesce(sum(value) FILTER (WHERE (day - $8::date) % 7 < $10::int), 0) AS value_over
    FROM figure GROUP BY 1, 2, 3
  ), named AS (
    SELECT DISTINCT metric, currency FROM sums
    UNION
    SELECT metric, CASE WHEN metric = ANY($14::text[]) THEN $13 ELSE '' END FROM unnest($12::text[]) AS wanted (metric)
    WHERE metric <> 'followers' AND metric NOT IN (SELECT metric FROM sums)
  ), known AS MATERIALIZED (
    SELECT day, followers::numeric AS followers,
           least(lead(day) OVER (PARTITION BY connection_id, network, account_key ORDER BY day), day + ${FOLLOWERS_KNOWN_DAYS + 1}) AS until
    FROM social_days
    WHERE organization_id = $1 AND day BETWEEN $8::date - ${FOLLOWERS_KNOWN_DAYS} AND $9::date AND connection_id = ANY($5::uuid[])
      AND followers IS NOT NULL
  ), dense AS (
    SELECT metric, currency, week, coalesce(value, 0) AS value, coalesce(value_over, 0) AS value_over
    FROM named CROSS JOIN week LEFT JOIN sums USING (metric, currency, week)
    UNION ALL
    SELECT metric, '', week, ${LEVEL('last')}, ${LEVEL('last_over')}
    FROM week, unnest($12::text[]) AS wanted (metric) WHERE metric = 'followers'
  ), whole AS (
    SELECT metric, currency, count(*)::numeric AS n, sum(week) AS x, sum(value) AS y, sum(week * value) AS xy, sum(week * week) AS xx
    FROM dense WHERE week < $11::int - 1 AND value IS NOT NULL GROUP BY 1, 2
  )
  SELECT metric, currency, array_agg(value::text ORDER BY week) AS values,
         min(value_over::text) FILTER (WHERE week = $11::int - 1) AS "soFar",
         min(value_over::text) FILTER (WHERE week = $11::int - 2) AS "sameDays",
         (SELECT trim_scale(round((n * xy - x * y) / nullif(n * xx - x * x, 0), 6))::text FROM whole
          WHERE whole.metric = dense.metric AND whole.currency = dense.currency) AS slope
  FROM dense GROUP BY metric, currency ORDER BY metric, currency`;

/** Figures week by week, one statement over the rollups. */
export async function readGrowth(sql: Sql, request: GrowthRequest): Promise<GrowthRow[]> {
  const { connections, organizationId, from, today, daysOver, weeks, metrics, currency } = request;
  const { revenue, traffic, ads, social, email, support } = connections;
  const { rows } = await sql.query<GrowthRow>(GROWTH, [
    organizationId,
    ...[revenue, traffic, ads, social, email, support],
    ...[from, today, daysOver, weeks, metrics, currency, MONEY_METRICS],
  ]);
  return rows;
}
