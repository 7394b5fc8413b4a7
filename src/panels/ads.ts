import { z } from 'zod';
import { money } from '../domain/money.ts';
import type { Period } from '../domain/period.ts';
import type { Sql } from '../repositories/db.ts';
import { adsSums, type AdsSum } from '../repositories/panel-ads.ts';
import type { PanelScope } from '../repositories/panel-scope.ts';
import { amountsOf, currenciesOf, splitSums, total } from './daily.ts';
import { fromRollups } from './filled.ts';
import type { Panel } from './panel.ts';
import { count, day } from './values.ts';

const adsValues = z.object({
  /** One entry per currency; without any one zero in the organization's currency */
  spend: z.array(money).min(1),
  impressions: count,
  clicks: count,
  /** Providers attribute in fractions; null where they do not tell */
  conversions: z.number().nonnegative().nullable(),
  series: z.array(z.object({ date: day, spend: z.array(money), impressions: count, clicks: count })),
});
export type AdsValues = z.infer<typeof adsValues>;

/** Paid advertising. */
export const ads: Panel<AdsValues> = {
  key: 'ads',
  deadlineMs: 2_000,
  schema: adsValues,
  load: fromRollups('ads', ({ db, organization }, scope) => readAds(db, scope, organization.currency)),
};

/** @param own the currency that nothing is counted in */
export async function readAds(sql: Sql, scope: PanelScope, own: string): Promise<AdsValues> {
  return adsOf(scope, await adsSums(sql, scope), own);
}

/** @param own the currency that nothing spent is counted in */
export function adsOf(period: Period, rows: readonly AdsSum[], own: string): AdsValues {
  const { totals, days } = splitSums(period, rows);
  const currencies = currenciesOf(totals, own);
  return {
    spend: amountsOf(currencies, totals, ({ spend }) => spend),
    impressions: total(totals, ({ impressions }) => impressions),
    clicks: total(totals, ({ clicks }) => clicks),
    conversions: total(totals, ({ conversions }) => conversions),
    series: days.map(({ date, rows: paid }) => ({
      date,
      spend: amountsOf(currencies, paid, ({ spend }) => spend),
      impressions: total(paid, ({ impressions }) => impressions),
      clicks: total(paid, ({ clicks }) => clicks),
    })),
  };
}
