import { hash } from 'node:crypto';
import type { CatalogVariant } from '../../domain/product.ts';
import { OPTION_FIELDS, type ProductField } from './fields.ts';
import type { ProductLayout } from './layout.ts';
import type { RowCells } from './row-cells.ts';
import { shortHash } from './seen.ts';
import { parsePrice, type Price } from './values/price.ts';
import {
  parseAvailability,
  parseBoolean,
  parseCurrency,
  parseQuantity,
  parseText,
  parseUrl,
} from './values/simple.ts';
import { parseWeight } from './values/weight.ts';

/** What a row says about its variant; null where a cell is blank or its column is missing. */
export interface VariantCells {
  readonly columns: Omit<CatalogVariant, 'id' | 'productId'>;
  /** Tells the variants of one product from each other */
  readonly keyHash: string;
  /** Of all that the row says about the variant: two rows with the same do the same */
  readonly contentHash: string;
}

/** Catalog columns of a variant that a file speaks about; the others stay as they are stored. */
export type VariantColumn = Exclude<keyof VariantCells['columns'], 'key'>;

const FILLED_BY: readonly (readonly [VariantColumn, readonly ProductField[]])[] = [
  ['sku', ['sku']],
  ['barcode', ['barcode']],
  ['optionValues', OPTION_FIELDS.map(({ value }) => value)],
  ['price', ['price', 'salePrice']],
  ['compareAtPrice', ['compareAtPrice', 'salePrice']],
  ['inventoryQuantity', ['quantity', 'availability']],
  ['weightGrams', ['weightGrams', 'weight']],
  ['requiresShipping', ['requiresShipping']],
  ['taxable', ['taxable']],
  ['imageUrl', ['variantImage']],
];

/** The columns of a variant that the file has. Currency is none of them: a price without one keeps the stored one. */
export function variantColumns(layout: ProductLayout): readonly VariantColumn[] {
  const columns = FILLED_BY.filter(([, fields]) => fields.some((field) => layout.columns.has(field))).map(
    ([column]) => column,
  );
  return isGoogle(layout) && layout.columns.has('image') && !columns.includes('imageUrl')
    ? [...columns, 'imageUrl']
    : columns;
}

/** Fields that only a row with a variant fills: flags and units stand in rows of pictures as well. */
const EVIDENCE: readonly ProductField[] = [
  'sku',
  'price',
  ...OPTION_FIELDS.map(({ value }) => value),
  'barcode',
  'quantity',
  'compareAtPrice',
  'salePrice',
];

export function speaksOfVariant(cells: RowCells): boolean {
  return EVIDENCE.some((field) => cells.text(field) !== '');
}

export function readVariant(cells: RowCells, layout: ProductLayout): VariantCells {
  const sku = cells.read('sku', (text) => parseText(text, 255));
  const optionValues = readOptionValues(cells, layout);
  const { price, compareAtPrice, currency } = readPrices(cells);
  const key = variantKey(sku, optionValues);
  const columns = {
    key,
    sku,
    barcode: cells.read('barcode', (text) => parseText(text, 255)),
    optionValues,
    price,
    compareAtPrice,
    currency,
    inventoryQuantity: cells.read('quantity', parseQuantity) ?? cells.read('availability', parseAvailability),
    weightGrams: readWeight(cells),
    requiresShipping: cells.read('requiresShipping', parseBoolean),
    taxable: cells.read('taxable', parseBoolean),
    imageUrl: cells.read(
      isGoogle(layout) && !layout.columns.has('variantImage') ? 'image' : 'variantImage',
      parseUrl,
      'warned',
    ),
  };
  return { columns, keyHash: shortHash(`variant ${key}`), contentHash: shortHash(contentOf(columns)) };
}

/** A variant that is new: as a literal, for spreading twelve columns costs as much as reading them. */
export function newVariant(id: string, productId: string, { columns }: VariantCells): CatalogVariant {
  return {
    id,
    productId,
    key: columns.key,
    sku: columns.sku,
    barcode: columns.barcode,
    optionValues: columns.optionValues,
    price: columns.price,
    compareAtPrice: columns.compareAtPrice,
    currency: columns.currency,
    inventoryQuantity: columns.inventoryQuantity,
    weightGrams: columns.weightGrams,
    requiresShipping: columns.requiresShipping,
    taxable: columns.taxable,
    imageUrl: columns.imageUrl,
  };
}

function isGoogle(layout: ProductLayout): boolean {
  return layout.format === 'google_merchant_tsv';
}

/** What Shopify writes for a product without options */
const NO_OPTION = 'Default Title';

function readOptionValues(cells: RowCells, layout: ProductLayout): readonly string[] {
  const values = layout.options.map(({ value }) => cells.read(value, (text) => parseText(text, 255)) ?? '');
  while (values.at(-1) === '') values.pop();
  return values.length === 1 && values[0] === NO_OPTION ? [] : values;
}

function readPrices(cells: RowCells): Pick<VariantCells['columns'], 'price' | 'compareAtPrice' | 'currency'> {
  const regular = cells.read('price', parsePrice);
  const compareAt = cells.read('compareAtPrice', parsePrice);
  const sale = saleOf(cells, regular);
  const currency = cells.read('currency', parseCurrency);
  const stated = currency ?? regular?.currency ?? compareAt?.currency ?? sale?.currency ?? null;
  if ([regular, compareAt, sale].some((price) => price?.currency && price.currency !== stated)) {
    cells.fault('price', 'CURRENCIES_DIFFER', 'and the rest of the row name different currencies', 'failed');
  }
  return {
    price: (sale ?? regular)?.amount ?? null,
    compareAtPrice: (sale ? regular : compareAt)?.amount ?? null,
    currency: stated,
  };
}

/** The reduced price where it holds now, whatever the day: a period is not looked at, and the row says so. */
function saleOf(cells: RowCells, regular: Price | null): Price | null {
  const sale = cells.read('salePrice', parsePrice);
  if (!sale || !regular || cells.text('salePriceDates') === '') return sale;
  cells.fault(
    'salePriceDates',
    'SALE_PRICE_SCHEDULED',
    'limits the reduced price to a period, so the regular price was taken',
    'warned',
  );
  return null;
}

function readWeight(cells: RowCells): string | null {
  if (cells.text('weightGrams') !== '') return cells.read('weightGrams', (text) => parseWeight(text, 'g'));
  const unit = cells.text('weightUnit') || null;
  return cells.read('weight', (text) => parseWeight(text, unit), 'warned');
}

/** In bytes: longer keys do not fit into an index of Postgres */
const KEY_BYTES_MAX = 1_000;

/** The SKU, else the option values; long ones by their hash. */
export function variantKey(sku: string | null, optionValues: readonly string[]): string {
  if (sku !== null) return `sku:${sku}`;
  const values = JSON.stringify(optionValues);
  if (Buffer.byteLength(values) <= KEY_BYTES_MAX) return `opt:${values}`;
  return `opt:sha256:${hash('sha256', values, 'hex')}`;
}

function contentOf(columns: VariantCells['columns']): string {
  const { sku, barcode, optionValues, price, compareAtPrice, currency, inventoryQuantity, weightGrams } =
    columns;
  const { requiresShipping, taxable, imageUrl } = columns;
  return (
    `${sku}\u001F${barcode}\u001F${optionValues.join('\u001E')}\u001F${price}\u001F${compareAtPrice}\u001F${currency}` +
    `\u001F${inventoryQuantity}\u001F${weightGrams}\u001F${requiresShipping}\u001F${taxable}\u001F${imageUrl}`
  );
}
