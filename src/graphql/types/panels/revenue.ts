import type { PanelReading } from '../../../panels/reading.ts';
import type { RevenueValues } from '../../../panels/revenue.ts';
import { builder } from '../../builder.ts';
import { Money } from '../money.ts';
import { BEFORE, comparisonOf } from './comparison.ts';
import { Panel } from './panel.ts';
import { RevenueComparison } from './revenue-figures.ts';

const RevenuePoint = builder.objectRef<RevenueValues['series'][number]>('RevenuePoint').implement({
  description: 'Sales of one day.',
  fields: (t) => ({
    date: t.expose('date', { type: 'Date', description: "Day in the organization's time zone" }),
    net: t.expose('net', { type: [Money], description: 'One entry per currency of the period' }),
    orders: t.expose('orders', { type: 'SafeInt', description: 'Orders placed on that day' }),
  }),
});

export const RevenuePanel = builder.objectRef<PanelReading<RevenueValues>>('RevenuePanel').implement({
  description: 'What was sold: orders of shops and imports.',
  interfaces: [Panel],
  fields: (t) => ({
    gross: t.field({
      type: [Money],
      description:
        "One entry per currency; a READY panel without sales has one zero in the organization's currency",
      resolve: ({ values }) => values?.gross ?? [],
    }),
    refunds: t.field({
      type: [Money],
      description: 'What was paid back of these orders',
      resolve: ({ values }) => values?.refunds ?? [],
    }),
    net: t.field({
      type: [Money],
      description: 'gross − refunds',
      resolve: ({ values }) => values?.net ?? [],
    }),
    orders: t.field({
      type: 'SafeInt',
      nullable: true,
      description: 'Orders placed in the period',
      resolve: ({ values }) => values?.orders,
    }),
    before: t.field({
      type: RevenueComparison,
      nullable: true,
      description: BEFORE,
      resolve: (reading, _args, ctx) => comparisonOf('revenue', reading, ctx),
    }),
    series: t.field({
      type: [RevenuePoint],
      description: 'One point per day of the period, oldest first',
      resolve: ({ values }) => values?.series ?? [],
    }),
  }),
});
