import type { Sql } from '../../src/repositories/db.ts';
import type { PanelScope } from '../../src/repositories/panel-scope.ts';

export const FIGURES = ['revenue', 'products', 'ads', 'traffic', 'social', 'email', 'support'] as const;
type FiguresKey = (typeof FIGURES)[number];
export type Figures = Readonly<Record<FiguresKey, readonly object[]>>;

/**
 * What one SQL over the raw rows says, for the period (`date` is null) and day by day, and of products by month: $1 the
 * connection, $2 the time zone, $3 and $4 the first and last day. Amounts are without zeros at their end.
 */
export async function rawFigures(
  sql: Sql,
  { connectionIds, from, to }: PanelScope,
  timeZone: string,
): Promise<Figures> {
  const read = async (key: FiguresKey): Promise<readonly object[]> =>
    (await sql.query<Record<string, unknown>>(STATEMENTS[key], [connectionIds[0], timeZone, from, to])).rows;
  return {
    revenue: await read('revenue'),
    products: await read('products'),
    ads: await read('ads'),
    traffic: await read('traffic'),
    social: await read('social'),
    email: await read('email'),
    support: await read('support'),
  };
}

/** The zone is named where no moment is read, too: each statement has the same parameters. */
const of = (type: string): string => `
  (SELECT fact FROM source_records, jsonb_array_elements(data->'facts') AS fact
   WHERE connection_id = $1 AND fact->>'type' = '${type}' AND $2::text <> '') AS raw`;
const dayAt = (field: string): string => `((fact->>'${field}')::timestamptz AT TIME ZONE $2)::date`;
const text = (sum: string): string => `trim_scale(${sum})::text`;
const whole = (...fields: readonly string[]): string =>
  fields.map((field) => `coalesce(sum((fact->>'${field}')::bigint), 0)::float8 AS ${field}`).join(', ');
const IN_PERIOD = 'day BETWEEN $3::date AND $4::date';

const SALES = `
  (SELECT ${dayAt('at')} AS day, fact->>'currency' AS currency, (fact->>'gross')::numeric AS gross, 0 AS refunds, 1 AS orders, fact
   FROM ${of('order')}
   UNION ALL SELECT ${dayAt('at')}, fact->>'currency', 0, (fact->>'amount')::numeric, 0, fact FROM ${of('refund')}) AS sales`;

const STATEMENTS = {
  revenue: `
    SELECT day::text AS date, currency, ${text('sum(gross)')} AS gross, ${text('sum(refunds)')} AS refunds,
           ${text('sum(gross - refunds)')} AS net, sum(orders)::float8 AS orders
    FROM ${SALES} WHERE ${IN_PERIOD}
    GROUP BY GROUPING SETS ((day, currency), (currency))`,
  products: `
    WITH parts AS (
      SELECT day, currency, orders, line->>'productKey' AS key, (line->>'amount')::numeric AS amount
      FROM ${SALES}, jsonb_array_elements(fact->'lines') AS line
      UNION ALL SELECT day, currency, orders, '', gross + refunds FROM ${SALES}
      UNION ALL SELECT day, currency, orders, '', -(line->>'amount')::numeric FROM ${SALES}, jsonb_array_elements(fact->'lines') AS line
    )
    SELECT greatest(date_trunc('month', day)::date, $3::date)::text AS date, key, currency,
           ${text('coalesce(sum(amount) FILTER (WHERE orders = 1), 0)')} AS gross,
           ${text('coalesce(sum(amount) FILTER (WHERE orders = 0), 0)')} AS refunds
    FROM parts WHERE ${IN_PERIOD} GROUP BY 1, 2, 3`,
  ads: `
    SELECT day::text AS date, currency, ${text('sum(spend)')} AS spend, sum(impressions)::float8 AS impressions,
           sum(clicks)::float8 AS clicks, sum(conversions)::float8 AS conversions
    FROM (SELECT (fact->>'day')::date AS day, fact->>'currency' AS currency, (fact->>'spend')::numeric AS spend,
                 (fact->>'impressions')::bigint AS impressions, (fact->>'clicks')::bigint AS clicks,
                 (fact->>'conversions')::numeric AS conversions
          FROM ${of('ad_day')}) AS told
    WHERE ${IN_PERIOD} GROUP BY GROUPING SETS ((day, currency), (currency))`,
  traffic: `
    WITH told AS (
      SELECT (fact->>'day')::date AS day, (fact->>'windowDays')::int AS days, fact->>'channel' AS channel, fact FROM ${of('traffic_day')}
    ), daily AS (
      SELECT * FROM told WHERE days = 1 AND ${IN_PERIOD}
        AND (channel IS NULL OR NOT EXISTS (
          SELECT FROM told AS other WHERE other.day = told.day AND other.days = 1 AND other.channel IS NULL))
    )
    SELECT day::text AS date, ${whole('sessions', 'pageviews')},
           CASE grouping(day) WHEN 0 THEN sum((fact->>'users')::bigint) FILTER (WHERE channel IS NULL) ELSE (
             SELECT sum((fact->>'users')::bigint) FROM told
             WHERE day = $4::date AND days = $4::date - $3::date + 1 AND channel IS NULL) END::float8 AS users
    FROM daily GROUP BY GROUPING SETS ((day), ())`,
  social: `
    SELECT day::text AS date, (fact->>'followers')::float8 AS followers, (fact->>'impressions')::float8 AS impressions,
           (fact->>'engagements')::float8 AS engagements
    FROM (SELECT (fact->>'day')::date AS day, fact FROM ${of('social_day')}) AS told WHERE ${IN_PERIOD}`,
  email: `
    SELECT day::text AS date, ${whole('sent', 'opens', 'clicks', 'unsubscribes')}
    FROM (SELECT ${dayAt('at')} AS day, fact FROM ${of('email_day')}) AS sent WHERE ${IN_PERIOD}
    GROUP BY GROUPING SETS ((day), ())`,
  support: `
    WITH moments AS (
      SELECT ${dayAt('openedAt')} AS day, 1 AS opened, 0 AS solved, NULL AS rating, fact->>'firstReplyMinutes' AS reply FROM ${of('ticket')}
      UNION ALL
      SELECT ${dayAt('solvedAt')}, 0, 1, fact->>'satisfaction', NULL FROM ${of('ticket')} WHERE fact->>'solvedAt' IS NOT NULL
    )
    SELECT day::text AS date, coalesce(sum(opened), 0)::float8 AS opened, coalesce(sum(solved), 0)::float8 AS solved,
           count(*) FILTER (WHERE rating = 'good')::float8 AS good, count(*) FILTER (WHERE rating = 'bad')::float8 AS bad,
           CASE grouping(day) WHEN 1 THEN count(reply)::float8 END AS replies,
           CASE grouping(day) WHEN 1 THEN (
             SELECT greatest(0, coalesce(sum(opened - solved), 0)) FROM moments WHERE day <= $4::date) END::float8 AS open
    FROM moments WHERE ${IN_PERIOD} GROUP BY GROUPING SETS ((day), ())`,
} as const;
