import { z } from 'zod';
import { money } from '../domain/money.ts';
import { NOT_CONNECTED } from './panel.ts';
import type { Panel } from './panel.ts';
import { count, day } from './values.ts';

const adsValues = z.object({
  /** One entry per currency */
  spend: z.array(money),
  impressions: count,
  clicks: count,
  /** Providers attribute in fractions; null where they do not tell */
  conversions: z.number().nonnegative().nullable(),
  series: z.array(z.object({ date: day, spend: z.array(money), impressions: count, clicks: count })),
});
export type AdsValues = z.infer<typeof adsValues>;

/** Paid advertising. No kind of source that can be connected reports it yet. */
export const ads: Panel<AdsValues> = {
  key: 'ads',
  deadlineMs: 2_000,
  schema: adsValues,
  load: () => Promise.resolve(NOT_CONNECTED),
};
