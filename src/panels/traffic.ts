import { z } from 'zod';
import { NOT_CONNECTED } from './panel.ts';
import type { Panel } from './panel.ts';
import { count, day } from './values.ts';

const trafficValues = z.object({
  sessions: count,
  pageviews: count,
  /** Distinct users cannot be added up over days: null for a window the provider gave no total for */
  users: count.nullable(),
  series: z.array(z.object({ date: day, sessions: count, users: count.nullable(), pageviews: count })),
});
export type TrafficValues = z.infer<typeof trafficValues>;

/** Visits to the shop. No kind of source that can be connected counts them yet. */
export const traffic: Panel<TrafficValues> = {
  key: 'traffic',
  deadlineMs: 2_000,
  schema: trafficValues,
  load: () => Promise.resolve(NOT_CONNECTED),
};
