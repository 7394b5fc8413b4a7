import { z } from 'zod';
import { money } from '../domain/money.ts';
import { orderSources, revenueOf } from '../repositories/orders.ts';
import { NOT_CONNECTED } from './panel.ts';
import type { Panel } from './panel.ts';
import { count, day } from './values.ts';

const revenueValues = z.object({
  /** One entry per currency; without sales one zero in the organization's currency */
  gross: z.array(money).min(1),
  refunds: z.array(money).min(1),
  net: z.array(money).min(1),
  orders: count,
  series: z.array(z.object({ date: day, net: z.array(money), orders: count })),
});
export type RevenueValues = z.infer<typeof revenueValues>;

const LABELS: Readonly<Record<string, string>> = {
  demo: 'Demo orders',
  import: 'Imported orders',
  manual: 'Orders entered by hand',
};

/** Sales, summed over the orders themselves: its figures are true at the moment of reading. */
export const revenue: Panel<RevenueValues> = {
  key: 'revenue',
  deadlineMs: 2_000,
  schema: revenueValues,
  async load({ db, organization, now }, period) {
    const asOf = now();
    const [sources, values] = await Promise.all([
      orderSources(db, organization.id),
      revenueOf(db, organization, period),
    ]);
    if (sources.length === 0) return NOT_CONNECTED;
    return {
      sources: sources.map((source) => ({
        label: LABELS[source] ?? source,
        state: 'READY',
        asOf,
        counted: true,
      })),
      refreshJobId: null,
      values,
    };
  },
};
