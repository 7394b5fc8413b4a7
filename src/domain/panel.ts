/** The dashboard's panels, in the order in which they are shown. */
export const PANEL_KEYS = ['revenue', 'traffic', 'ads', 'social', 'email', 'support'] as const;
export type PanelKey = (typeof PANEL_KEYS)[number];

/**
 * What an account's records are for: a panel. Payments are revenue too, counted where no shop tells of the same sales.
 */
export const FEEDS = [...PANEL_KEYS, 'payments'] as const;
export type Feed = (typeof FEEDS)[number];

export function panelOf(feed: Feed): PanelKey {
  return feed === 'payments' ? 'revenue' : feed;
}

export function feedsOf(panel: PanelKey): readonly Feed[] {
  return FEEDS.filter((feed) => panelOf(feed) === panel);
}
