import { canonicalAmount, currencyCode } from '../../domain/money.ts';

/**
 * Stripe's own table, https://docs.stripe.com/currencies: where it differs from Unicode's, Stripe's amounts follow
 * Stripe's. ISK has two digits here, 100 being one króna
 * (https://support.stripe.com/questions/deprecation-of-fractional-isk-charges-and-refunds).
 */
const ZERO_DECIMAL = 'BIF CLP DJF GNF JPY KMF KRW MGA PYG RWF VND VUV XAF XOF XPF';
const THREE_DECIMAL = 'BHD JOD KWD OMR TND';
/** Listed as without decimals, and asked for with two: nobody can know what an amount of it means. */
const AMBIGUOUS = 'UGX';

const DIGITS: ReadonlyMap<string, number> = new Map([
  ...ZERO_DECIMAL.split(' ').map((code) => [code, 0] as const),
  ...THREE_DECIMAL.split(' ').map((code) => [code, 3] as const),
]);
const DIGITS_DEFAULT = 2;

/** Whether an amount in this currency, written as Stripe does ("eur"), can be told exactly. */
export function isReadable(currency: string): boolean {
  const code = currency.toUpperCase();
  return currencyCode.safeParse(code).success && code !== AMBIGUOUS;
}

/**
 * An amount in the smallest unit that Stripe has for a currency, as a decimal: 1050 of EUR is "10.50".
 * @param minor a whole number
 * @param currency an ISO 4217 code in capital letters
 */
export function toDecimal(minor: number, currency: string): string {
  const digits = DIGITS.get(currency) ?? DIGITS_DEFAULT;
  const text = String(Math.abs(minor)).padStart(digits + 1, '0');
  const [whole, fraction] = [text.slice(0, text.length - digits), text.slice(text.length - digits)];
  const sign = minor < 0 ? '-' : '';
  return canonicalAmount(`${sign}${whole}${digits > 0 ? `.${fraction}` : ''}`, currency);
}
