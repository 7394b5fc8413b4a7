import type { CellResult } from './cell.ts';

/** An amount with exactly four decimals, as `numeric(18,4)` shows it, and the currency where the cell names one. */
export interface Price {
  readonly amount: string;
  readonly currency: string | null;
}

const PLAIN = /^\d{1,14}(?:\.\d{1,4})?$/;
const SYMBOLS: Readonly<Record<string, string | null>> = {
  '€': 'EUR',
  '£': 'GBP',
  $: null,
  '¥': null,
  '₹': 'INR',
  zł: 'PLN',
  kr: null,
};
const WITH_CURRENCY = /^([A-Z]{3}|€|£|\$|¥|₹|zł|kr)?\s*([-+]?\d[\d.,'’\s]*)\s*([A-Z]{3}|€|£|\$|¥|₹|zł|kr)?$/i;

/**
 * Reads a price without ever making it a float. A point is the decimal sign; a comma is where it can be nothing else
 * ("12,50", "1.234,50"): "1,234" may be a thousand or little more than one, and is refused. A currency beside the
 * amount is taken over ("12.50 USD", "€12.50"); signs that several currencies share ($, ¥, kr) name none.
 */
export function parsePrice(text: string): CellResult<Price> {
  if (PLAIN.test(text)) return { value: { amount: canonical(text), currency: null } };
  const found = WITH_CURRENCY.exec(text);
  if (!found) return { code: 'INVALID_PRICE', message: 'is not a price. Write it like 12.50' };
  const [, before, digits = '', after] = found;
  if (before && after)
    return { code: 'INVALID_PRICE', message: 'names two currencies. Write it like 12.50 EUR' };
  if (digits.startsWith('-')) return { code: 'NEGATIVE_PRICE', message: 'is negative. A price is 0 or more' };
  const number = normalize(digits.replace(/[\s'’]/g, ''));
  if (number === AMBIGUOUS) {
    return {
      code: 'AMBIGUOUS_PRICE',
      message: 'may mean thousands or decimals. Write it with a point, like 1234.00 or 1.23',
    };
  }
  if (number === null || !PLAIN.test(number))
    return {
      code: 'INVALID_PRICE',
      message: 'is not a price with at most 14 digits and 4 decimals. Write it like 12.50',
    };
  const currency = currencyOf(before ?? after);
  if (currency === undefined)
    return {
      code: 'INVALID_CURRENCY',
      message: 'names a currency that does not exist. Write it like 12.50 EUR',
    };
  return { value: { amount: canonical(number), currency } };
}

const AMBIGUOUS = Symbol('ambiguous');

/** Digits with a point as the decimal sign and nothing between the thousands; null for nonsense. */
function normalize(digits: string): string | typeof AMBIGUOUS | null {
  if (!digits.includes(',')) return digits.split('.').length > 2 ? withoutGroups(digits, '.') : digits;
  if (!digits.includes('.')) {
    if (digits.split(',').length > 2) return withoutGroups(digits, ',');
    if (/^[1-9]\d{0,2},\d{3}$/.test(digits)) return AMBIGUOUS;
    return digits.replace(',', '.');
  }
  const decimal = digits.lastIndexOf(',') > digits.lastIndexOf('.') ? ',' : '.';
  const [whole = '', fraction = '', ...more] = digits.split(decimal);
  if (more.length > 0) return null;
  const bare = withoutGroups(whole, decimal === ',' ? '.' : ',');
  return bare === null ? null : `${bare}.${fraction}`;
}

function withoutGroups(digits: string, separator: string): string | null {
  const groups = digits.split(separator);
  const fits = groups.every((group, index) => (index === 0 ? /^\d{1,3}$/ : /^\d{3}$/).test(group));
  return fits ? groups.join('') : null;
}

/** "012.5" → "12.5000" */
function canonical(plain: string): string {
  const point = plain.indexOf('.');
  const whole = point < 0 ? plain : plain.slice(0, point);
  const fraction = point < 0 ? '' : plain.slice(point + 1);
  const bare = whole.length > 1 && whole.startsWith('0') ? whole.replace(/^0+(?=\d)/, '') : whole;
  return `${bare}.${fraction.padEnd(4, '0')}`;
}

/** Null where the sign names none, undefined where there is no such currency. */
function currencyOf(sign: string | undefined): string | null | undefined {
  if (sign === undefined) return null;
  const symbol = SYMBOLS[sign.toLowerCase()];
  return symbol !== undefined ? symbol : parseCurrencyCode(sign);
}

const CURRENCIES: ReadonlySet<string> = new Set(Intl.supportedValuesOf('currency'));

/** An ISO 4217 code in capitals, or undefined where there is none such. */
export function parseCurrencyCode(text: string): string | undefined {
  const code = text.toUpperCase();
  return CURRENCIES.has(code) ? code : undefined;
}
