import { z } from 'zod';
import { NOT_CONNECTED } from './panel.ts';
import type { Panel } from './panel.ts';
import { count, day } from './values.ts';

const emailValues = z.object({
  sent: count,
  opens: count,
  clicks: count,
  unsubscribes: count,
  series: z.array(z.object({ date: day, sent: count, opens: count, clicks: count })),
});
export type EmailValues = z.infer<typeof emailValues>;

/** E-mail campaigns. No kind of source that can be connected reports them yet. */
export const email: Panel<EmailValues> = {
  key: 'email',
  deadlineMs: 2_000,
  schema: emailValues,
  load: () => Promise.resolve(NOT_CONNECTED),
};
