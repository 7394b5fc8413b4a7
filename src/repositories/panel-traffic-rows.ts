import { ALL_TOGETHER, BY_SOURCE, groupedRows } from './panel-rows.ts';

export const TRAFFIC_GROUPS = ['none', 'channel', 'source'] as const;
export type TrafficGroup = (typeof TRAFFIC_GROUPS)[number];

export interface TrafficRowFigures {
  readonly sessions: number;
  readonly pageviews: number;
  /** As the provider counted them for exactly these days and this group; null: it did not */
  readonly users: number | null;
}

/** By days and accounts: the day as a whole where it is told, else its channels. Users: of the window that is the bucket. */
const DAYS = `(
  SELECT * FROM (
    SELECT bucket, ends, key, max(label) AS label,
           coalesce(sum(sessions) FILTER (WHERE window_days = 1 AND channel = ''), sum(sessions) FILTER (WHERE window_days = 1), 0)
             AS sessions,
           coalesce(sum(pageviews) FILTER (WHERE window_days = 1 AND channel = ''), sum(pageviews) FILTER (WHERE window_days = 1), 0)
             AS pageviews,
           max(users) FILTER (WHERE channel = '' AND day = ends AND window_days = ends - bucket + 1) AS users,
           bool_or(bool_or(window_days = 1)) OVER (PARTITION BY bucket, key) AS has_days
    FROM scoped GROUP BY bucket, ends, key, connection_id, day
  ) AS told
  WHERE has_days
)`;

/** What is told of a day as a whole is of an unknown channel where its channels are not told. */
const CHANNELS = `(
  SELECT * FROM (
    SELECT *, bool_or(channel <> '') OVER (PARTITION BY connection_id, day) AS has_channels FROM scoped WHERE window_days = 1
  ) AS told
  WHERE channel <> '' OR NOT has_channels
)`;

/** Visitors of several sites, or of several days, may be the same. */
const USERS_KNOWN: Readonly<Record<TrafficGroup, string>> = {
  none: 'cardinality($2::uuid[]) = 1',
  source: 'true',
  channel: 'cardinality($2::uuid[]) = 1 AND bucket = ends',
};

export const trafficRows = groupedRows<TrafficGroup, TrafficRowFigures>(
  {
    name: 'traffic',
    table: 'traffic_days',
    groupings: { none: ALL_TOGETHER, source: BY_SOURCE, channel: { key: 'channel', label: 'channel' } },
    inner: (groupBy) => (groupBy === 'channel' ? CHANNELS : DAYS),
    figures: (groupBy) => `
      sum(sessions)::float8 AS sessions, sum(pageviews)::float8 AS pageviews,
      CASE WHEN ${USERS_KNOWN[groupBy]} THEN max(users) END::float8 AS users`,
  },
  TRAFFIC_GROUPS,
);
