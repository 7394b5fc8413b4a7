import type { FactType } from '../domain/facts.ts';
import { BUCKETS_PER_OCTAVE, LAST_BUCKET } from '../domain/histogram.ts';
import type { Tx } from './db.ts';
import type { FactOwner } from './fact-pages.ts';
import type { TouchedDays } from './touched-days.ts';

/** What a rollup is made of, and how: $1 the organization, $2 the connection, $3 the days. */
interface Rollup {
  readonly table: string;
  readonly facts: readonly FactType[];
  readonly insert: string;
}

/** An amount of a fact, or nothing of another fact's. */
const amount = (field: string): string => `(data->>'${field}')::numeric`;
const count = (field: string): string => `(data->>'${field}')::bigint`;

/**
 * The facts of these types that are there on each of the days: an index is gone through once per day, whatever the
 * planner believes of a table that nobody has analysed yet.
 */
const factsOf = (...types: readonly FactType[]): string => factsBy('day', types);

const factsBy = (column: 'day' | 'end_day', types: readonly FactType[]): string => `
    unnest($3::date[]) AS touched (touched_day) CROSS JOIN LATERAL (
      SELECT type, fact_key, day, end_day, data FROM facts
      WHERE connection_id = $2 AND type IN (${types.map((type) => `'${type}'`).join(', ')}) AND ${column} = touched_day OFFSET 0
    ) AS fact`;

const REVENUE: Rollup = {
  table: 'revenue_days',
  facts: ['order', 'refund'],
  insert: `
    INSERT INTO revenue_days (organization_id, connection_id, day, currency, channel, gross, refunds, orders)
    SELECT $1, $2, day, data->>'currency', coalesce(data->>'channel', ''),
           coalesce(sum(${amount('gross')}), 0), coalesce(sum(${amount('amount')}), 0), count(*) FILTER (WHERE type = 'order')
    FROM ${factsOf('order', 'refund')}
    GROUP BY day, 4, 5`,
};

/** What lines tell of, and as no product's what is left of the whole. */
const PRODUCT_REVENUE: Rollup = {
  table: 'product_revenue_days',
  facts: ['order', 'refund'],
  insert: `
    WITH moneyed AS (
      SELECT day, type, fact_key, data->>'currency' AS currency,
             CASE type WHEN 'order' THEN ${amount('gross')} ELSE ${amount('amount')} END AS amount,
             coalesce(data->'lines', '[]') AS lines
      FROM ${factsOf('order', 'refund')}
    ), parts AS (
      SELECT day, type, fact_key, currency, line.*
      FROM moneyed CROSS JOIN jsonb_to_recordset(lines) AS line ("productKey" text, product text, quantity bigint, amount numeric)
      UNION ALL
      SELECT day, type, CASE lines WHEN '[]' THEN fact_key END, currency, '', '', 0,
             amount - (SELECT coalesce(sum((line->>'amount')::numeric), 0) FROM jsonb_array_elements(lines) AS line)
      FROM moneyed
    ), summed AS (
      SELECT day, currency, "productKey" AS product_key, max(product) AS product,
             coalesce(sum(amount) FILTER (WHERE type = 'order'), 0) AS gross,
             coalesce(sum(amount) FILTER (WHERE type = 'refund'), 0) AS refunds,
             coalesce(sum(quantity) FILTER (WHERE type = 'order'), 0) AS units,
             count(DISTINCT fact_key) FILTER (WHERE type = 'order') AS orders
      FROM parts GROUP BY day, currency, "productKey"
    )
    INSERT INTO product_revenue_days (organization_id, connection_id, day, currency, product_key, product, gross, refunds, units,
                                      orders)
    SELECT $1, $2, day, currency, product_key, product, gross, refunds, units, orders FROM summed
    WHERE product_key <> '' OR gross <> 0 OR refunds <> 0 OR orders > 0`,
};

const TRAFFIC: Rollup = {
  table: 'traffic_days',
  facts: ['traffic_day'],
  insert: `
    INSERT INTO traffic_days (organization_id, connection_id, day, window_days, channel, sessions, pageviews, engaged_sessions,
                              users, new_users)
    SELECT $1, $2, day, (data->>'windowDays')::int, coalesce(data->>'channel', ''), sum(${count('sessions')}),
           sum(${count('pageviews')}), sum(${count('engagedSessions')}), sum(${count('users')}), sum(${count('newUsers')})
    FROM ${factsOf('traffic_day')}
    GROUP BY day, 4, 5`,
};

const ADS: Rollup = {
  table: 'ads_days',
  facts: ['ad_day'],
  insert: `
    INSERT INTO ads_days (organization_id, connection_id, day, account, campaign_key, campaign, currency, spend, impressions,
                          clicks, conversions, value)
    SELECT $1, $2, day, max(data->>'account'), data->>'campaignKey', max(data->>'campaign'), data->>'currency',
           sum(${amount('spend')}), sum(${count('impressions')}), sum(${count('clicks')}),
           sum((data->>'conversions')::float8 ORDER BY fact_key), sum(${amount('value')})
    FROM ${factsOf('ad_day')}
    GROUP BY day, data->>'campaignKey', data->>'currency'`,
};

const SOCIAL: Rollup = {
  table: 'social_days',
  facts: ['social_day'],
  insert: `
    INSERT INTO social_days (organization_id, connection_id, day, network, account_key, account, followers, impressions,
                             engagements)
    SELECT $1, $2, day, data->>'network', data->>'accountKey', max(data->>'account'), max(${count('followers')}),
           sum(${count('impressions')}), sum(${count('engagements')})
    FROM ${factsOf('social_day')}
    GROUP BY day, data->>'network', data->>'accountKey'`,
};

const EMAIL: Rollup = {
  table: 'email_days',
  facts: ['email_day'],
  insert: `
    INSERT INTO email_days (organization_id, connection_id, day, campaign_key, campaign, sent, opens, clicks, unsubscribes,
                            bounces)
    SELECT $1, $2, day, fact_key, data->>'campaign', ${count('sent')}, ${count('opens')}, ${count('clicks')},
           ${count('unsubscribes')}, ${count('bounces')}
    FROM ${factsOf('email_day')}`,
};

/** The bucket of minutes to a first reply, as src/domain/histogram.ts counts: in ms. */
const REPLY_BUCKET = `
  CASE WHEN ${amount('firstReplyMinutes')} IS NULL THEN NULL
       WHEN ${amount('firstReplyMinutes')} * 60000 < 1 THEN 0
       ELSE least(${LAST_BUCKET}, 1 + floor(log(2, ${amount('firstReplyMinutes')} * 60000) * ${BUCKETS_PER_OCTAVE}))::int END`;

const SUPPORT: Rollup = {
  table: 'support_days',
  facts: ['ticket'],
  insert: `
    WITH moments AS (
      SELECT day, coalesce(data->>'channel', '') AS channel, 1 AS opened, 0 AS solved, ${REPLY_BUCKET} AS bucket, NULL AS rating
      FROM ${factsOf('ticket')}
      UNION ALL
      SELECT end_day, coalesce(data->>'channel', ''), 0, 1, NULL, data->>'satisfaction'
      FROM ${factsBy('end_day', ['ticket'])}
    ), replies AS (
      SELECT day, channel, jsonb_object_agg(bucket, tickets) AS histogram
      FROM (SELECT day, channel, bucket, count(*) AS tickets FROM moments WHERE bucket IS NOT NULL GROUP BY day, channel, bucket)
        AS buckets
      GROUP BY day, channel
    )
    INSERT INTO support_days (organization_id, connection_id, day, channel, opened, solved, good, bad, first_replies)
    SELECT $1, $2, day, channel, sum(opened), sum(solved), count(*) FILTER (WHERE rating = 'good'),
           count(*) FILTER (WHERE rating = 'bad'), coalesce(min(replies.histogram::text)::jsonb, '{}')
    FROM moments LEFT JOIN replies USING (day, channel)
    GROUP BY day, channel`,
};

const ROLLUPS: readonly Rollup[] = [REVENUE, PRODUCT_REVENUE, TRAFFIC, ADS, SOCIAL, EMAIL, SUPPORT];

/** Each has rows of a connection, by `connection_id`. */
export const ROLLUP_TABLES: readonly string[] = ROLLUPS.map(({ table }) => table);

/** Makes the rollups of these days anew from the facts: in the transaction that changed them, so that nobody sees one without the other. */
export async function refreshRollups(
  tx: Tx,
  { organizationId, connectionId }: Pick<FactOwner, 'organizationId' | 'connectionId'>,
  touched: TouchedDays,
): Promise<void> {
  for (const { table, facts, insert } of ROLLUPS) {
    const days = touched.of(...facts);
    if (days.length === 0) continue;
    await tx.query(
      `DELETE FROM ${table} WHERE organization_id = $1 AND connection_id = $2 AND day = ANY($3::date[])`,
      [organizationId, connectionId, days],
    );
    await tx.query(insert, [organizationId, connectionId, days]);
  }
}
