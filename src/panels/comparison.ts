import type { Money } from '../domain/money.ts';
import { addDays, countDays, isDate, type Period } from '../domain/period.ts';
import { rounded } from './values.ts';

/** The period right before, of the same length; null where the calendar does not reach so far. */
export function periodBefore(period: Period): Period | null {
  const days = countDays(period);
  const from = addDays(period.from, -days);
  return isDate(from) ? { from, to: addDays(period.from, -1) } : null;
}

/** By how much a figure grew, in percent of what it was; null where that was 0 or either is not known. */
export function changePercent(now: number | null, before: number | null): number | null {
  if (now === null || before === null || before === 0) return null;
  return rounded((100 * (now - before)) / Math.abs(before), 2);
}

/** How an amount changed in one currency. */
export interface CurrencyChange {
  readonly currency: string;
  readonly percent: number | null;
}

/** Per currency of either, in the order of the codes. */
export function moneyChanges(now: readonly Money[], before: readonly Money[]): CurrencyChange[] {
  const currencies = [...new Set([...now, ...before].map(({ currency }) => currency))].toSorted();
  return currencies.map((currency) => ({
    currency,
    percent: changePercent(numberIn(now, currency), numberIn(before, currency)),
  }));
}

function numberIn(amounts: readonly Money[], currency: string): number {
  return Number(amounts.find((money) => money.currency === currency)?.amount ?? 0);
}
