import { hash } from 'node:crypto';
import type { CatalogImage, CatalogProduct, CatalogVariant } from '../../domain/product.ts';
import type { ImageCells } from './image-cells.ts';
import { optionNames, type ProductCells } from './product-cells.ts';
import type { VariantCells, VariantColumn } from './variant-cells.ts';

/** A stored product as an import reads it: of the description, which may be long, only the MD5 in hex. */
export type StoredProduct = Omit<CatalogProduct, 'descriptionHtml'> & {
  readonly descriptionMd5: string | null;
};

/** A stored product with other columns. `description` is absent when it stays. */
export type ChangedProduct = Omit<CatalogProduct, 'descriptionHtml'> & {
  readonly description?: { readonly html: string | null };
};

/** The product as the row wants it, or null when it is so already. */
export function changeProduct(stored: StoredProduct, cells: ProductCells): ChangedProduct | null {
  const { descriptionMd5, ...columns } = stored;
  const merged = {
    ...columns,
    title: cells.title ?? stored.title,
    vendor: given(cells.vendor, stored.vendor),
    productType: given(cells.productType, stored.productType),
    tags: given(cells.tags, stored.tags),
    status: given(cells.status, stored.status),
    optionNames: cells.optionNames ? optionNames(cells.optionNames, stored.optionNames) : stored.optionNames,
  };
  const html = cells.descriptionHtml;
  const described = html !== undefined && (html === null ? null : md5(html)) !== descriptionMd5;
  if (!described && PRODUCT_COLUMNS.every((column) => equal(columns[column], merged[column]))) return null;
  return described ? { ...merged, description: { html } } : merged;
}

/** The variant as the row wants it: columns that the file has not stay, and so does a currency that it does not state. */
export function mergeVariant(
  stored: CatalogVariant,
  cells: VariantCells['columns'],
  columns: readonly VariantColumn[],
): CatalogVariant {
  const currency = columns.includes('price') ? (cells.currency ?? stored.currency) : stored.currency;
  return { ...stored, ...Object.fromEntries(columns.map((column) => [column, cells[column]])), currency };
}

export function sameVariant(a: CatalogVariant, b: CatalogVariant): boolean {
  return VARIANT_COLUMNS.every((column) => equal(a[column], b[column]));
}

/** The picture as the row wants it: a blank place or text keeps what is stored. */
export function mergeImage(stored: CatalogImage, cells: ImageCells): CatalogImage {
  return { ...stored, position: cells.position ?? stored.position, altText: cells.altText ?? stored.altText };
}

export function sameImage(a: CatalogImage, b: CatalogImage): boolean {
  return a.position === b.position && a.altText === b.altText;
}

function given<T>(value: T | undefined, stored: T): T {
  return value === undefined ? stored : value;
}

const PRODUCT_COLUMNS = ['title', 'vendor', 'productType', 'tags', 'status', 'optionNames'] as const;
const VARIANT_COLUMNS = [
  'sku', 'barcode', 'optionValues', 'price', 'compareAtPrice', 'currency', 'inventoryQuantity', 'weightGrams',
  'requiresShipping', 'taxable', 'imageUrl',
] as const; // prettier-ignore

function equal(a: unknown, b: unknown): boolean {
  if (!Array.isArray(a) || !Array.isArray(b)) return a === b;
  return a.length === b.length && a.every((value, index) => value === b[index]);
}

function md5(text: string): string {
  return hash('md5', text, 'hex');
}
