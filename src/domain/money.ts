import { z } from 'zod';

/** An exact amount: `amount` is canonical (see `canonicalAmount`), `currency` an ISO 4217 code. */
export interface Money {
  readonly amount: string;
  readonly currency: string;
}

const CURRENCIES: ReadonlySet<string> = new Set(Intl.supportedValuesOf('currency'));
const DECIMAL = /^(-?)0*(\d{1,60})(?:\.(\d{1,40}))?$/;

/** An ISO 4217 code in capital letters that Unicode's currency table knows. */
export const currencyCode = z
  .string()
  .refine((code) => CURRENCIES.has(code), { error: 'expected an ISO 4217 currency code such as EUR' });

/** An exact decimal in plain digits, as Postgres prints `numeric`: no exponent, NaN or Infinity. */
export const decimal = z.string().regex(DECIMAL, { error: 'expected an exact decimal such as "12.50"' });

export const money = z.object({ amount: decimal, currency: currencyCode });

const knownMinorDigits = new Map<string, number>();

/**
 * Digits behind the point that a currency is written with: EUR 2, JPY 0, KWD 3. From Unicode's currency table, which
 * shows fewer than ISO 4217 for the few currencies whose minor unit is out of use (IQD).
 * @throws RangeError for what cannot be a currency code
 */
export function minorDigits(currency: string): number {
  const known = knownMinorDigits.get(currency);
  if (known !== undefined) return known;
  const format = new Intl.NumberFormat('en', { style: 'currency', currency });
  const digits = format.resolvedOptions().maximumFractionDigits ?? 2;
  // Making a format takes 30 µs, and a year's panel asks 365 times.
  if (CURRENCIES.has(currency)) knownMinorDigits.set(currency, digits);
  return digits;
}

/**
 * The one way to write an amount: as many digits behind the point as the currency has, more only where they are not
 * zero, no superfluous zero in front and no "-0". Never rounds: "12.500000" EUR is "12.50", "0.125" stays.
 * @throws RangeError for anything but a plain decimal
 */
export function canonicalAmount(amount: string, currency: string): string {
  const match = DECIMAL.exec(amount);
  if (!match) throw new RangeError(`expected an exact decimal, got ${JSON.stringify(amount.slice(0, 80))}`);
  const [, sign = '', whole = '0', fraction = ''] = match;
  const digits = fraction.replace(/0+$/, '').padEnd(minorDigits(currency), '0');
  const text = digits === '' ? whole : `${whole}.${digits}`;
  return /[1-9]/.test(text) ? sign + text : text;
}

/** @throws RangeError for anything but a plain decimal */
export function toMoney(amount: string, currency: string): Money {
  return { amount: canonicalAmount(amount, currency), currency };
}

export function zeroOf(currency: string): Money {
  return toMoney('0', currency);
}
