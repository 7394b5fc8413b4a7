import type { ProductStatus } from '../../../domain/product.ts';
import type { CellResult } from './cell.ts';
import { parseCurrencyCode } from './price.ts';

const WHOLE = /^-?\d{1,9}(?:\.0+)?$/;

/** A whole number of pieces; below zero is what was sold before it came in. "12.0" is what spreadsheets make of 12. */
export function parseQuantity(text: string): CellResult<number> {
  if (WHOLE.test(text)) return { value: Number.parseInt(text, 10) };
  return { code: 'INVALID_QUANTITY', message: 'is not a whole number of pieces. Write it like 12' };
}

/** 1, 2, 3 … */
export function parsePosition(text: string): CellResult<number> {
  const number = WHOLE.test(text) ? Number.parseInt(text, 10) : 0;
  return number > 0
    ? { value: number }
    : { code: 'INVALID_POSITION', message: 'is not a place. Write 1 for the first picture' };
}

const BOOLEANS: ReadonlyMap<string, boolean> = new Map([
  ...['true', 'yes', 'y', '1', 'on', 'x'].map((word) => [word, true] as const),
  ...['false', 'no', 'n', '0', 'off'].map((word) => [word, false] as const),
]);

export function parseBoolean(text: string): CellResult<boolean> {
  const value = BOOLEANS.get(text.toLowerCase());
  return value === undefined ? { code: 'INVALID_BOOLEAN', message: 'is neither true nor false' } : { value };
}

/** Shopify's "unlisted" products are on sale, only not shown in lists. */
const STATUSES: ReadonlyMap<string, ProductStatus> = new Map([
  ['active', 'active'],
  ['unlisted', 'active'],
  ['draft', 'draft'],
  ['archived', 'archived'],
]);

export function parseStatus(text: string): CellResult<ProductStatus> {
  const value = STATUSES.get(text.toLowerCase());
  return value
    ? { value }
    : { code: 'INVALID_STATUS', message: 'is no status. Write active, draft or archived' };
}

/** Google's four words; only "out of stock" says how many pieces there are. @returns pieces, null for unknown */
export function parseAvailability(text: string): CellResult<number | null> {
  const word = text.toLowerCase().replace(/[\s_-]+/g, '');
  if (word === 'outofstock') return { value: 0 };
  if (['instock', 'preorder', 'backorder', 'limitedavailability'].includes(word)) return { value: null };
  return { code: 'INVALID_AVAILABILITY', message: 'is not in_stock, out_of_stock, preorder or backorder' };
}

export function parseCurrency(text: string): CellResult<string> {
  const value = parseCurrencyCode(text);
  return value
    ? { value }
    : { code: 'INVALID_CURRENCY', message: 'is no currency. Write its three letters, like EUR' };
}

/** In bytes: longer ones do not fit into an index of Postgres. */
export const URL_BYTES_MAX = 2_000;
const URL_SHAPE = /^https?:\/\/[^\s/?#]+\S*$/i;

export function parseUrl(text: string): CellResult<string> {
  if (Buffer.byteLength(text) > URL_BYTES_MAX) {
    return {
      code: 'VALUE_TOO_LONG',
      message: `is longer than ${URL_BYTES_MAX} bytes, the most an address may have`,
    };
  }
  if (URL_SHAPE.test(text) && URL.canParse(text)) return { value: text };
  return {
    code: 'INVALID_URL',
    message: 'is no address of a picture. It must begin with http:// or https://',
  };
}

/** @param max in characters */
export function parseText(text: string, max: number): CellResult<string> {
  if (text.length <= max) return { value: text };
  return { code: 'VALUE_TOO_LONG', message: `is ${text.length} characters long; at most ${max} fit` };
}
