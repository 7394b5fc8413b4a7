import { changePercent, moneyChanges } from '../../../panels/comparison.ts';
import type { AdsValues } from '../../../panels/ads.ts';
import { builder } from '../../builder.ts';
import { Money } from '../money.ts';
import {
  CHANGE,
  COMPARISON,
  CurrencyChange,
  MONEY_CHANGE,
  PanelComparison,
  type Comparison,
} from './comparison.ts';

export const AdsFigures = builder.objectRef<Omit<AdsValues, 'series'>>('AdsFigures').implement({
  description: 'Paid advertising of some days.',
  fields: (t) => ({
    spend: t.expose('spend', { type: [Money], description: 'What it cost, one entry per currency' }),
    impressions: t.expose('impressions', { type: 'SafeInt', description: 'Times an ad was shown' }),
    clicks: t.expose('clicks', { type: 'SafeInt', description: 'Times an ad was clicked' }),
    conversions: t.expose('conversions', {
      type: 'Float',
      nullable: true,
      description: 'As the providers attribute them, which may be in fractions',
    }),
  }),
});

export const AdsComparison = builder.objectRef<Comparison<AdsValues>>('AdsComparison').implement({
  description: COMPARISON,
  interfaces: [PanelComparison],
  fields: (t) => ({
    figures: t.field({ type: AdsFigures, description: 'Of that period', resolve: ({ before }) => before }),
    spendChangePercent: t.field({
      type: [CurrencyChange],
      description: MONEY_CHANGE,
      resolve: ({ now, before }) => moneyChanges(now.spend, before.spend),
    }),
    impressionsChangePercent: t.field({
      type: 'Float',
      nullable: true,
      description: CHANGE,
      resolve: ({ now, before }) => changePercent(now.impressions, before.impressions),
    }),
    clicksChangePercent: t.field({
      type: 'Float',
      nullable: true,
      description: CHANGE,
      resolve: ({ now, before }) => changePercent(now.clicks, before.clicks),
    }),
    conversionsChangePercent: t.field({
      type: 'Float',
      nullable: true,
      description: CHANGE,
      resolve: ({ now, before }) => changePercent(now.conversions, before.conversions),
    }),
  }),
});
