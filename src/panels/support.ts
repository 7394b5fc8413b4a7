import { z } from 'zod';
import { NOT_CONNECTED } from './panel.ts';
import type { Panel } from './panel.ts';
import { count, day } from './values.ts';

const supportValues = z.object({
  opened: count,
  solved: count,
  /** Open at the end of the period */
  open: count,
  /** Null where nothing was answered or rated in the period */
  firstResponseMinutesMedian: z.number().nonnegative().nullable(),
  satisfactionPercent: z.number().min(0).max(100).nullable(),
  series: z.array(z.object({ date: day, opened: count, solved: count })),
});
export type SupportValues = z.infer<typeof supportValues>;

/** The help desk. No kind of source that can be connected reports it yet. */
export const support: Panel<SupportValues> = {
  key: 'support',
  deadlineMs: 2_000,
  schema: supportValues,
  load: () => Promise.resolve(NOT_CONNECTED),
};
