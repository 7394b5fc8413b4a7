import type { Sql } from './db.ts';
import { IN_SCOPE, scopeValues, type PanelScope } from './panel-scope.ts';
import { prepared } from './prepared.ts';

/** One account's day. */
export interface SocialAccountDay {
  readonly date: string;
  /** Names the account among all of the organization */
  readonly account: string;
  /** Null: not told for this day */
  readonly followers: number | null;
  readonly impressions: number;
  readonly engagements: number;
}

const SOCIAL = prepared(
  'panel social',
  `SELECT to_char(day, 'YYYY-MM-DD') AS date, concat_ws(' ', connection_id, network, account_key) AS account,
          followers::float8 AS followers, impressions::float8 AS impressions, engagements::float8 AS engagements
   FROM social_days WHERE ${IN_SCOPE}
   ORDER BY day`,
);

/** Oldest first. */
export async function socialAccountDays(sql: Sql, scope: PanelScope): Promise<SocialAccountDay[]> {
  const { rows } = await sql.query<SocialAccountDay>(SOCIAL, scopeValues(scope));
  return rows;
}
