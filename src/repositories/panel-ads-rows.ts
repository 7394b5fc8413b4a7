import { ALL_TOGETHER, BY_SOURCE, byKeyOfSource, groupedRows } from './panel-rows.ts';

export const ADS_GROUPS = ['none', 'campaign', 'account', 'source'] as const;
export type AdsGroup = (typeof ADS_GROUPS)[number];

/** Advertising of one group; amounts are exact decimals, by currency in the order of the codes. */
export interface AdsRowFigures {
  readonly money: readonly { readonly currency: string; readonly spend: string; readonly value: string }[];
  readonly impressions: number;
  readonly clicks: number;
  readonly conversions: number;
}

export const adsRows = groupedRows<AdsGroup, AdsRowFigures>(
  {
    name: 'ads',
    table: 'ads_days',
    groupings: {
      none: ALL_TOGETHER,
      source: BY_SOURCE,
      campaign: byKeyOfSource('campaign_key', 'campaign'),
      account: byKeyOfSource('account', 'account'),
    },
    inner: () => `(
      SELECT bucket, ends, key, max(label) AS label, currency, sum(spend) AS spend, sum(value) AS value,
             sum(impressions) AS impressions, sum(clicks) AS clicks, sum(conversions::numeric) AS conversions
      FROM scoped GROUP BY bucket, ends, key, currency
    )`,
    figures: () => `
      jsonb_agg(jsonb_build_object('currency', currency, 'spend', spend::text, 'value', value::text) ORDER BY currency) AS money,
      sum(impressions)::float8 AS impressions, sum(clicks)::float8 AS clicks, sum(conversions)::float8 AS conversions`,
  },
  ADS_GROUPS,
);
