import { toMoney, type Money } from '../domain/money.ts';
import { daysOf, type Period } from '../domain/period.ts';

/** A sum over one day, or over the whole period where the date is null. */
interface Dated {
  readonly date: string | null;
}

/** Sums of a period, as statements give them. */
export interface Sums<Row> {
  readonly totals: readonly Row[];
  /** Of each day of the period, oldest first; a day without any has no rows */
  readonly days: readonly { readonly date: string; readonly rows: readonly Row[] }[];
}

export function splitSums<Row extends Dated>(period: Period, rows: readonly Row[]): Sums<Row> {
  const byDate = new Map<string | null, Row[]>();
  for (const row of rows) {
    const known = byDate.get(row.date);
    if (known) known.push(row);
    else byDate.set(row.date, [row]);
  }
  return {
    totals: byDate.get(null) ?? [],
    days: daysOf(period).map((date) => ({ date, rows: byDate.get(date) ?? [] })),
  };
}

/** Currencies of a period's sums; without any, the organization's. */
export function currenciesOf(totals: readonly { readonly currency: string }[], own: string): string[] {
  return totals.length > 0 ? totals.map(({ currency }) => currency) : [own];
}

/** An amount in each of the currencies, zero where there is none. */
export function amountsOf<Row extends { readonly currency: string }>(
  currencies: readonly string[],
  rows: readonly Row[],
  amount: (row: Row) => string,
): Money[] {
  return currencies.map((currency) => {
    const row = rows.find((each) => each.currency === currency);
    return toMoney(row ? amount(row) : '0', currency);
  });
}

export function total<Row>(rows: readonly Row[], of: (row: Row) => number): number {
  return rows.reduce((sum, row) => sum + of(row), 0);
}
