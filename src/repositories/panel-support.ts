import type { Sql } from './db.ts';
import { IN_SCOPE, scopeValues, type PanelScope } from './panel-scope.ts';
import { prepared } from './prepared.ts';

export interface SupportSum {
  /** YYYY-MM-DD; null: the whole period */
  readonly date: string | null;
  readonly opened: number;
  readonly solved: number;
  readonly good: number;
  readonly bad: number;
  /** Of the whole period: how many first replies fell into each bucket (src/domain/histogram.ts); null: none did */
  readonly replies: Readonly<Record<string, number>> | null;
  /** Of the whole period: tickets that were open at its end */
  readonly open: number | null;
}

const sum = (column: string): string => `coalesce(sum(${column}), 0)::float8 AS ${column}`;

/** What is open at the end of a day is all that was ever opened by then, less what was solved. */
const SUPPORT = prepared(
  'panel support',
  `WITH scoped AS MATERIALIZED (
     SELECT day, opened, solved, good, bad, first_replies FROM support_days WHERE ${IN_SCOPE}
   )
   SELECT to_char(day, 'YYYY-MM-DD') AS date, ${['opened', 'solved', 'good', 'bad'].map(sum).join(', ')},
          CASE WHEN grouping(day) = 1 THEN (
            SELECT jsonb_object_agg(bucket, replies) FROM (
              SELECT bucket, sum(replies::bigint) AS replies FROM scoped, jsonb_each_text(first_replies) AS each (bucket, replies)
              GROUP BY bucket
            ) AS merged
          ) END AS replies,
          CASE WHEN grouping(day) = 1 THEN (
            SELECT greatest(0, coalesce(sum(opened - solved), 0)) FROM support_days
            WHERE organization_id = $1 AND connection_id = ANY($2::uuid[]) AND day <= $4::date
          ) END::float8 AS open
   FROM scoped GROUP BY GROUPING SETS ((day), ())`,
);

/** Of the period, and of each day that has any. */
export async function supportSums(sql: Sql, scope: PanelScope): Promise<SupportSum[]> {
  const { rows } = await sql.query<SupportSum>(SUPPORT, scopeValues(scope));
  return rows;
}
