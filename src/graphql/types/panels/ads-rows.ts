import { toMoney } from '../../../domain/money.ts';
import { readAds } from '../../../panels/ads.ts';
import {
  ADS_GROUPS,
  adsRows,
  type AdsGroup,
  type AdsRowFigures,
} from '../../../repositories/panel-ads-rows.ts';
import { needs } from '../../authorization/rules.ts';
import { builder } from '../../builder.ts';
import { connectionType, pageArgs } from '../connection.ts';
import { Money } from '../money.ts';
import { PanelSource } from './panel.ts';
import { AdsFigures } from './ads-figures.ts';
import {
  groupByEnum,
  PanelRow,
  rowsArgs,
  rowsPage,
  SOURCES,
  TOTAL_COUNT,
  TOTALS,
  type PanelRowShape,
  type RowsScope,
} from './rows.ts';

const GROUP_DESCRIPTIONS: { readonly [G in AdsGroup]: string } = {
  none: 'Everything together',
  campaign: 'The campaign',
  account: 'The account that pays',
  source: 'The connected account',
};

const AdsGroupBy = groupByEnum('AdsGroupBy', ADS_GROUPS, GROUP_DESCRIPTIONS);

const AdsRow = builder.objectRef<PanelRowShape<AdsRowFigures>>('AdsRow').implement({
  description: 'Paid advertising of one group within one day, week or month.',
  interfaces: [PanelRow],
  fields: (t) => ({
    spend: t.field({
      type: [Money],
      description: 'What it cost, one entry per currency',
      resolve: ({ money }) => money.map(({ spend, currency }) => toMoney(spend, currency)),
    }),
    impressions: t.expose('impressions', { type: 'SafeInt', description: 'Times an ad was shown' }),
    clicks: t.expose('clicks', { type: 'SafeInt', description: 'Times an ad was clicked' }),
    conversions: t.expose('conversions', {
      type: 'Float',
      description: 'As the providers attribute them, which may be in fractions',
    }),
    conversionValue: t.field({
      type: [Money],
      description: 'What the conversions were worth, as the providers say',
      resolve: ({ money }) => money.map(({ value, currency }) => toMoney(value, currency)),
    }),
  }),
});

const AdsRows = connectionType<PanelRowShape<AdsRowFigures>, RowsScope>(
  'AdsRow',
  (t) => t.field({ type: AdsRow, description: 'One row', resolve: ({ node }) => node }),
  { description: 'Paid advertising in rows, the earliest first, then by key.', totalCount: TOTAL_COUNT },
);
builder.objectFields(AdsRows, (t) => ({
  totals: t.field({
    type: AdsFigures,
    description: TOTALS,
    resolve: ({ scope }, _args, { db, principal }) => readAds(db, scope, principal.organization.currency),
  }),
  sources: t.field({ type: [PanelSource], description: SOURCES, resolve: ({ sources }) => [...sources] }),
}));

builder.queryField('ads', (t) =>
  t.field({
    extensions: needs('read'),
    type: AdsRows,
    description: 'Paid advertising in detail: figures by day, week or month, and by group',
    args: {
      ...rowsArgs,
      groupBy: t.arg({
        type: AdsGroupBy,
        required: true,
        defaultValue: 'none',
        description: 'What rows are grouped by',
      }),
      ...pageArgs,
    },
    resolve: (_root, args, ctx) => rowsPage(ctx, 'ads', adsRows, args),
  }),
);
