import { z } from 'zod';
import type { PanelKey } from '../domain/panel.ts';
import { defineJob } from './define.ts';

const input = z.object({
  sync: z
    .boolean()
    .default(true)
    .meta({ description: 'Whether its accounts are read first; the rollups are made anew either way' }),
});

const output = z.object({
  syncs: z.int().meta({ description: 'Accounts that were read first' }),
  days: z.int().meta({ description: 'Days of accounts whose rollups were made anew' }),
});

/** Fills a panel: reads its accounts, then makes its rollups anew from the facts. One at a time, unless only the latter. */
function aggregation<Key extends PanelKey>(panel: Key, title: string) {
  return defineJob({
    kind: `${panel}_aggregation`,
    version: 1,
    queue: 'default',
    title,
    input,
    output,
    retry: { maxAttempts: 5, backoff: { baseMs: 1_000, maxMs: 60_000 } },
    timeoutMs: 2 * 60 * 60_000,
    uniqueKey: ({ sync }) => (sync ? panel : null),
    startable: 'internal',
  });
}

/** One for each panel. */
export const panelAggregations = {
  revenue: aggregation('revenue', 'Refresh the revenue panel'),
  traffic: aggregation('traffic', 'Refresh the traffic panel'),
  ads: aggregation('ads', 'Refresh the ads panel'),
  social: aggregation('social', 'Refresh the social panel'),
  email: aggregation('email', 'Refresh the email panel'),
  support: aggregation('support', 'Refresh the support panel'),
} as const;
