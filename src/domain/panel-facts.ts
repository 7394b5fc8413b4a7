import type { FactType } from './facts.ts';
import type { PanelKey } from './panel.ts';

/** What each panel's rollups are made of. */
export const FACTS_OF: { readonly [K in PanelKey]: readonly FactType[] } = {
  revenue: ['order', 'refund'],
  traffic: ['traffic_day'],
  ads: ['ad_day'],
  social: ['social_day'],
  email: ['email_day'],
  support: ['ticket'],
};
