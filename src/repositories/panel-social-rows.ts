import { FOLLOWERS_KNOWN_DAYS } from '../domain/followers.ts';
import { ALL_TOGETHER, byKeyOfSource, groupedRows } from './panel-rows.ts';

export const SOCIAL_GROUPS = ['none', 'network', 'account'] as const;
export type SocialGroup = (typeof SOCIAL_GROUPS)[number];

export interface SocialRowFigures {
  /** At the end of the last day, of the accounts that tell; null: none does */
  readonly followers: number | null;
  readonly impressions: number;
  readonly engagements: number;
}

const GROUPINGS = {
  none: ALL_TOGETHER,
  network: { key: 'network', label: 'network' },
  account: byKeyOfSource(`network || ' ' || account_key`, 'account'),
};

export const socialRows = groupedRows<SocialGroup, SocialRowFigures>(
  {
    name: 'social',
    table: 'social_days',
    groupings: GROUPINGS,
    figures: () => 'sum(impressions)::float8 AS impressions, sum(engagements)::float8 AS engagements',
    more: (groupBy) => `(
      SELECT sum(followers)::float8 FROM (
        SELECT DISTINCT ON (connection_id, network, account_key) followers
        FROM social_days
        WHERE organization_id = $1 AND connection_id = ANY($2::uuid[]) AND followers IS NOT NULL
          AND day BETWEEN page.ends - ${FOLLOWERS_KNOWN_DAYS} AND page.ends AND ${GROUPINGS[groupBy].key} = page.key
        ORDER BY connection_id, network, account_key, day DESC
      ) AS latest
    ) AS followers`,
  },
  SOCIAL_GROUPS,
);
