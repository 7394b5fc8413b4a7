import { z } from 'zod';
import type { PanelKey } from '../domain/panel.ts';

/** What the jobs that fill panels share: they read the panel's accounts, then make its rollups anew from the facts. */
export const aggregation = {
  version: 1,
  queue: 'default',
  input: z.object({
    sync: z.boolean().default(true).meta({
      description: 'Whether its accounts are read first; the rollups are made anew either way',
    }),
  }),
  output: z.object({
    syncs: z.int().meta({ description: 'Accounts that were read first' }),
    days: z.int().meta({ description: 'Days of accounts whose rollups were made anew' }),
  }),
  retry: { maxAttempts: 5, backoff: { baseMs: 1_000, maxMs: 60_000 } },
  timeoutMs: 2 * 60 * 60_000,
  startable: 'internal',
} as const;

/** One at a time for a panel; those that make rollups anew alone are none of them. */
export const onePerPanel =
  (panel: PanelKey) =>
  ({ sync }: { readonly sync: boolean }): string | null =>
    sync ? panel : null;
