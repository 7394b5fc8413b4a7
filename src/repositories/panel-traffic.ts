import type { Sql } from './db.ts';
import { IN_SCOPE, scopeValues, type PanelScope } from './panel-scope.ts';
import { prepared } from './prepared.ts';

export interface TrafficSum {
  /** YYYY-MM-DD; null: the whole period */
  readonly date: string | null;
  readonly sessions: number;
  readonly pageviews: number;
  /** As the provider counted them for exactly these days; null: it did not. Means nothing over several accounts */
  readonly users: number | null;
}

/**
 * A provider tells a day by its channels, and once more all together, which has channel '': that one is taken where it
 * is, as visitors come through several channels.
 */
const TRAFFIC = prepared(
  'panel traffic',
  `WITH days AS (
     SELECT day, coalesce(sum(sessions) FILTER (WHERE channel = ''), sum(sessions)) AS sessions,
            coalesce(sum(pageviews) FILTER (WHERE channel = ''), sum(pageviews)) AS pageviews,
            max(users) FILTER (WHERE channel = '') AS users
     FROM traffic_days WHERE ${IN_SCOPE} AND window_days = 1
     GROUP BY day, connection_id
   )
   SELECT to_char(day, 'YYYY-MM-DD') AS date, coalesce(sum(sessions), 0)::float8 AS sessions,
          coalesce(sum(pageviews), 0)::float8 AS pageviews,
          CASE WHEN grouping(day) = 0 THEN max(users) ELSE (
            SELECT max(users) FROM traffic_days
            WHERE organization_id = $1 AND connection_id = ANY($2::uuid[]) AND day = $4::date
              AND window_days = $4::date - $3::date + 1 AND channel = ''
          ) END::float8 AS users
   FROM days GROUP BY GROUPING SETS ((day), ())`,
);

/** Of the period, and of each day that has any. */
export async function trafficSums(sql: Sql, scope: PanelScope): Promise<TrafficSum[]> {
  const { rows } = await sql.query<TrafficSum>(TRAFFIC, scopeValues(scope));
  return rows;
}
