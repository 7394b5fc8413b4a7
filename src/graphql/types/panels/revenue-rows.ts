import { toMoney } from '../../../domain/money.ts';
import { readRevenue } from '../../../panels/revenue.ts';
import {
  REVENUE_GROUPS,
  revenueRows,
  type RevenueGroup,
  type RevenueRowFigures,
} from '../../../repositories/panel-revenue-rows.ts';
import { needs } from '../../authorization/rules.ts';
import { builder } from '../../builder.ts';
import { connectionType, pageArgs } from '../connection.ts';
import { Money } from '../money.ts';
import { PanelSource } from './panel.ts';
import { RevenueFigures } from './revenue-figures.ts';
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

const GROUP_DESCRIPTIONS: { readonly [G in RevenueGroup]: string } = {
  none: 'Everything together',
  channel: 'Where it was sold, in the words of the shop',
  product:
    'What was bought, by account; a row of each account has what is no product’s: shipping, taxes, orders without lines',
  source: 'The connected account',
};

const RevenueGroupBy = groupByEnum('RevenueGroupBy', REVENUE_GROUPS, GROUP_DESCRIPTIONS);

const RevenueRow = builder.objectRef<PanelRowShape<RevenueRowFigures>>('RevenueRow').implement({
  description: 'Sales of one group within one day, week or month.',
  interfaces: [PanelRow],
  fields: (t) => ({
    gross: t.field({
      type: [Money],
      description: 'What was sold, one entry per currency',
      resolve: ({ money }) => money.map(({ gross, currency }) => toMoney(gross, currency)),
    }),
    refunds: t.field({
      type: [Money],
      description: 'What was paid back, on the day it was',
      resolve: ({ money }) => money.map(({ refunds, currency }) => toMoney(refunds, currency)),
    }),
    net: t.field({
      type: [Money],
      description: 'gross − refunds',
      resolve: ({ money }) => money.map(({ net, currency }) => toMoney(net, currency)),
    }),
    orders: t.expose('orders', {
      type: 'SafeInt',
      description: 'Orders placed; an order of several products counts for each of them',
    }),
    units: t.expose('units', {
      type: 'SafeInt',
      nullable: true,
      description: 'Pieces sold; null unless grouped by product',
    }),
  }),
});

const RevenueRows = connectionType<PanelRowShape<RevenueRowFigures>, RowsScope>(
  'RevenueRow',
  (t) => t.field({ type: RevenueRow, description: 'One row', resolve: ({ node }) => node }),
  { description: 'Sales in rows, the earliest first, then by key.', totalCount: TOTAL_COUNT },
);
builder.objectFields(RevenueRows, (t) => ({
  totals: t.field({
    type: RevenueFigures,
    description: TOTALS,
    resolve: ({ scope }, _args, { db, principal }) => readRevenue(db, scope, principal.organization.currency),
  }),
  sources: t.field({ type: [PanelSource], description: SOURCES, resolve: ({ sources }) => [...sources] }),
}));

builder.queryField('revenue', (t) =>
  t.field({
    extensions: needs('read'),
    type: RevenueRows,
    description: 'Sales in detail: figures by day, week or month, and by group',
    args: {
      ...rowsArgs,
      groupBy: t.arg({
        type: RevenueGroupBy,
        required: true,
        defaultValue: 'none',
        description: 'What rows are grouped by',
      }),
      ...pageArgs,
    },
    resolve: (_root, args, ctx) => rowsPage(ctx, 'revenue', revenueRows, args),
  }),
);
