import { z } from 'zod';
import { money, toMoney, type Money } from '../../domain/money.ts';

export const SHOP_MONEY = 'shopMoney { amount currencyCode }';

/** In the shop's own currency */
export const shopMoney = z.object({
  shopMoney: z.object({ amount: money.shape.amount, currencyCode: money.shape.currency }),
});
type ShopMoney = z.infer<typeof shopMoney>;

export function moneyOf({ shopMoney: { amount, currencyCode } }: ShopMoney): Money {
  return toMoney(amount, currencyCode);
}

/** What is added up and what is taken away from it, exactly; all of one currency. */
export function totalOf(currency: string, added: readonly string[], taken: readonly string[] = []): string {
  const digits = Math.max(...[...added, ...taken].map((amount) => fractionOf(amount).length), 0);
  const sum = (amounts: readonly string[]): bigint =>
    amounts.reduce((units, amount) => units + unitsOf(amount, digits), 0n);
  return toMoney(inDecimals(sum(added) - sum(taken), digits), currency).amount;
}

const fractionOf = (amount: string): string => amount.split('.')[1] ?? '';

/** A decimal in the smallest unit of so many digits behind the point: "-1.5" with 2 digits is -150. */
function unitsOf(amount: string, digits: number): bigint {
  const [whole = '0'] = amount.split('.');
  return BigInt(whole + fractionOf(amount).padEnd(digits, '0'));
}

function inDecimals(units: bigint, digits: number): string {
  const sign = units < 0n ? '-' : '';
  const text = (units < 0n ? -units : units).toString().padStart(digits + 1, '0');
  const whole = text.slice(0, text.length - digits);
  return digits === 0 ? sign + whole : `${sign}${whole}.${text.slice(-digits)}`;
}
