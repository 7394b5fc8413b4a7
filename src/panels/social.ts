import { z } from 'zod';
import { NOT_CONNECTED } from './panel.ts';
import type { Panel } from './panel.ts';
import { count, day } from './values.ts';

const socialValues = z.object({
  /** At the end of the period; null where the provider does not tell */
  followers: count.nullable(),
  impressions: count,
  engagements: count,
  series: z.array(
    z.object({ date: day, followers: count.nullable(), impressions: count, engagements: count }),
  ),
});
export type SocialValues = z.infer<typeof socialValues>;

/** Social networks. No kind of source that can be connected reports them yet. */
export const social: Panel<SocialValues> = {
  key: 'social',
  deadlineMs: 2_000,
  schema: socialValues,
  load: () => Promise.resolve(NOT_CONNECTED),
};
