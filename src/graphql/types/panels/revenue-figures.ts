import { changePercent, moneyChanges } from '../../../panels/comparison.ts';
import type { RevenueValues } from '../../../panels/revenue.ts';
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

export const RevenueFigures = builder.objectRef<Omit<RevenueValues, 'series'>>('RevenueFigures').implement({
  description: 'Sales of some days.',
  fields: (t) => ({
    gross: t.expose('gross', { type: [Money], description: 'What was sold, one entry per currency' }),
    refunds: t.expose('refunds', { type: [Money], description: 'What was paid back, on the day it was' }),
    net: t.expose('net', { type: [Money], description: 'gross − refunds' }),
    orders: t.expose('orders', { type: 'SafeInt', description: 'Orders placed' }),
  }),
});

export const RevenueComparison = builder.objectRef<Comparison<RevenueValues>>('RevenueComparison').implement({
  description: COMPARISON,
  interfaces: [PanelComparison],
  fields: (t) => ({
    figures: t.field({
      type: RevenueFigures,
      description: 'Of that period',
      resolve: ({ before }) => before,
    }),
    grossChangePercent: t.field({
      type: [CurrencyChange],
      description: MONEY_CHANGE,
      resolve: ({ now, before }) => moneyChanges(now.gross, before.gross),
    }),
    refundsChangePercent: t.field({
      type: [CurrencyChange],
      description: MONEY_CHANGE,
      resolve: ({ now, before }) => moneyChanges(now.refunds, before.refunds),
    }),
    netChangePercent: t.field({
      type: [CurrencyChange],
      description: MONEY_CHANGE,
      resolve: ({ now, before }) => moneyChanges(now.net, before.net),
    }),
    ordersChangePercent: t.field({
      type: 'Float',
      nullable: true,
      description: CHANGE,
      resolve: ({ now, before }) => changePercent(now.orders, before.orders),
    }),
  }),
});
