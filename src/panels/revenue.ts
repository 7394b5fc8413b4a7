import { z } from 'zod';
import { money } from '../domain/money.ts';
import type { Period } from '../domain/period.ts';
import type { Sql } from '../repositories/db.ts';
import { revenueSums, type RevenueSum } from '../repositories/panel-revenue.ts';
import type { PanelScope } from '../repositories/panel-scope.ts';
import { amountsOf, currenciesOf, splitSums, total } from './daily.ts';
import { fromRollups } from './filled.ts';
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

/** Sales of shops and imported orders, and of payments where they are all there is. A refund counts on its own day. */
export const revenue: Panel<RevenueValues> = {
  key: 'revenue',
  deadlineMs: 2_000,
  schema: revenueValues,
  load: fromRollups('revenue', ({ db, organization }, scope) =>
    readRevenue(db, scope, organization.currency),
  ),
};

/** @param own the currency that nothing is counted in */
export async function readRevenue(sql: Sql, scope: PanelScope, own: string): Promise<RevenueValues> {
  return revenueOf(scope, await revenueSums(sql, scope), own);
}

/** @param own the currency that nothing sold is counted in */
export function revenueOf(period: Period, rows: readonly RevenueSum[], own: string): RevenueValues {
  const { totals, days } = splitSums(period, rows);
  const currencies = currenciesOf(totals, own);
  return {
    gross: amountsOf(currencies, totals, ({ gross }) => gross),
    refunds: amountsOf(currencies, totals, ({ refunds }) => refunds),
    net: amountsOf(currencies, totals, ({ net }) => net),
    orders: total(totals, ({ orders }) => orders),
    series: days.map(({ date, rows: sold }) => ({
      date,
      net: amountsOf(currencies, sold, ({ net }) => net),
      orders: total(sold, ({ orders }) => orders),
    })),
  };
}
