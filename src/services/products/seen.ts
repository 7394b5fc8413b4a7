import { hash } from 'node:crypto';
import type { CatalogVariant } from '../../domain/product.ts';

/** What became of a variant or picture when the file named it last. */
export type SeenState = 'created' | 'updated' | 'unchanged';

/** A variant or picture that the file has named. */
export interface SeenEntry {
  /** Hash of what the row said: an equal row changes nothing */
  content: string;
  row: number;
  state: SeenState;
  /** What this batch is going to write; not kept beyond it */
  staged: StagedVariant | null;
}

/** A variant as the rows so far want it, and as it is stored; `stored` is absent for a new one. */
export interface StagedVariant {
  wanted: CatalogVariant;
  readonly stored: CatalogVariant | undefined;
}

/** A product that the file has named: what later rows, in this batch or a later one, must know of the earlier. */
export interface SeenProduct {
  /** The row that named it first, and gave the product's own columns */
  readonly row: number;
  /** That row's product columns were of no use */
  readonly rejected: boolean;
  /** Variants and pictures met so far, by the hash of their key */
  readonly entries: Map<string, SeenEntry>;
}

const HASH_DIGITS = 16;
const ROW_DIGITS = 8;
const ENTRY_DIGITS = 2 * HASH_DIGITS + ROW_DIGITS + 2;
const STATES: readonly SeenState[] = ['created', 'updated', 'unchanged'];

/** 64 bits in hex: enough within one product, which has some thousands of entries at most. */
export function shortHash(text: string): string {
  return hash('md5', text, 'hex').slice(0, HASH_DIGITS);
}

/** 128 bits as a uuid: tells the products of a file from each other. */
export function handleHash(handle: string): string {
  const hex = hash('md5', handle, 'hex');
  return `${hex.slice(0, 8)}-${hex.slice(8, 12)}-${hex.slice(12, 16)}-${hex.slice(16, 20)}-${hex.slice(20)}`;
}

/** Entries in hex, 21 bytes each: hash of the key, hash of the content, row, state. */
export function encodeEntries(entries: SeenProduct['entries']): string {
  let hex = '';
  for (const [key, { content, row, state }] of entries) {
    hex += `${key}${content}${row.toString(16).padStart(ROW_DIGITS, '0')}0${STATES.indexOf(state)}`;
  }
  return hex;
}

/** @throws RangeError for what `encodeEntries` did not write */
export function decodeEntries(hex: string): SeenProduct['entries'] {
  if (hex.length % ENTRY_DIGITS !== 0)
    throw new RangeError(`expected whole entries of ${ENTRY_DIGITS} digits, got ${hex.length}`);
  const entries: SeenProduct['entries'] = new Map();
  for (let at = 0; at < hex.length; at += ENTRY_DIGITS) {
    const content = hex.slice(at + HASH_DIGITS, at + 2 * HASH_DIGITS);
    const row = Number.parseInt(hex.slice(at + 2 * HASH_DIGITS, at + 2 * HASH_DIGITS + ROW_DIGITS), 16);
    const state = STATES[Number(hex[at + ENTRY_DIGITS - 1])];
    if (state === undefined)
      throw new RangeError(`expected a state, got ${hex.slice(at, at + ENTRY_DIGITS)}`);
    entries.set(hex.slice(at, at + HASH_DIGITS), { content, row, state, staged: null });
  }
  return entries;
}
