import type { Sql } from './db.ts';
import { IN_SCOPE, scopeValues, type PanelScope } from './panel-scope.ts';
import { prepared } from './prepared.ts';

export interface EmailSum {
  /** Day on which the campaigns were sent, YYYY-MM-DD; null: the whole period */
  readonly date: string | null;
  readonly sent: number;
  readonly opens: number;
  readonly clicks: number;
  readonly unsubscribes: number;
}

const sum = (column: string): string => `coalesce(sum(${column}), 0)::float8 AS ${column}`;

const EMAIL = prepared(
  'panel email',
  `SELECT to_char(day, 'YYYY-MM-DD') AS date, ${['sent', 'opens', 'clicks', 'unsubscribes'].map(sum).join(', ')}
   FROM email_days WHERE ${IN_SCOPE}
   GROUP BY GROUPING SETS ((day), ())`,
);

/** Of the period, and of each day that has any. */
export async function emailSums(sql: Sql, scope: PanelScope): Promise<EmailSum[]> {
  const { rows } = await sql.query<EmailSum>(EMAIL, scopeValues(scope));
  return rows;
}
