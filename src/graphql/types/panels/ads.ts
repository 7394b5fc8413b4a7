import type { AdsValues } from '../../../panels/ads.ts';
import type { PanelReading } from '../../../panels/reading.ts';
import { builder } from '../../builder.ts';
import { Money } from '../money.ts';
import { BEFORE, comparisonOf } from './comparison.ts';
import { Panel } from './panel.ts';
import { AdsComparison } from './ads-figures.ts';

const AdsPoint = builder.objectRef<AdsValues['series'][number]>('AdsPoint').implement({
  description: 'Advertising of one day.',
  fields: (t) => ({
    date: t.expose('date', { type: 'Date', description: "Day in the organization's time zone" }),
    spend: t.expose('spend', { type: [Money], description: 'One entry per currency of the period' }),
    impressions: t.expose('impressions', { type: 'SafeInt', description: 'Times an ad was shown' }),
    clicks: t.expose('clicks', { type: 'SafeInt', description: 'Times an ad was clicked' }),
  }),
});

export const AdsPanel = builder.objectRef<PanelReading<AdsValues>>('AdsPanel').implement({
  description: 'Paid advertising.',
  interfaces: [Panel],
  fields: (t) => ({
    spend: t.field({
      type: [Money],
      description: 'One entry per currency',
      resolve: ({ values }) => values?.spend ?? [],
    }),
    impressions: t.field({
      type: 'SafeInt',
      nullable: true,
      description: 'Times an ad was shown',
      resolve: ({ values }) => values?.impressions,
    }),
    clicks: t.field({
      type: 'SafeInt',
      nullable: true,
      description: 'Times an ad was clicked',
      resolve: ({ values }) => values?.clicks,
    }),
    conversions: t.field({
      type: 'Float',
      nullable: true,
      description: 'As the providers attribute them, which may be in fractions',
      resolve: ({ values }) => values?.conversions,
    }),
    before: t.field({
      type: AdsComparison,
      nullable: true,
      description: BEFORE,
      resolve: (reading, _args, ctx) => comparisonOf('ads', reading, ctx),
    }),
    series: t.field({
      type: [AdsPoint],
      description: 'One point per day of the period, oldest first',
      resolve: ({ values }) => values?.series ?? [],
    }),
  }),
});
