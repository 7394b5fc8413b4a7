import type { PanelKey } from './panel.ts';

/** Which panel's accounts a figure is made of. */
export const GROWTH_PANELS = {
  net_revenue: 'revenue',
  orders: 'revenue',
  sessions: 'traffic',
  ad_spend: 'ads',
  ad_impressions: 'ads',
  ad_clicks: 'ads',
  followers: 'social',
  social_impressions: 'social',
  engagements: 'social',
  emails_sent: 'email',
  email_opens: 'email',
  email_clicks: 'email',
  tickets_opened: 'support',
  tickets_solved: 'support',
} as const satisfies Readonly<Record<string, PanelKey>>;
export type GrowthMetric = keyof typeof GROWTH_PANELS;

/** Figures that are compared week by week, in the order in which they are shown. */
export const GROWTH_METRICS = [
  'net_revenue',
  'orders',
  'sessions',
  'ad_spend',
  'ad_impressions',
  'ad_clicks',
  'followers',
  'social_impressions',
  'engagements',
  'emails_sent',
  'email_opens',
  'email_clicks',
  'tickets_opened',
  'tickets_solved',
] as const satisfies readonly GrowthMetric[];

/** Amounts, told once per currency; the others are counts. */
export const MONEY_METRICS: readonly GrowthMetric[] = ['net_revenue', 'ad_spend'];
