import type { Column } from '../csv/header.ts';
import { invalidFile } from '../csv/invalid-file.ts';
import {
  OPTION_FIELDS,
  PRODUCT_FIELD_NAMES,
  PRODUCT_FIELDS,
  isProductField,
  type ProductField,
} from './fields.ts';
import { GENERIC_HEADERS, GOOGLE_HEADERS, SHOPIFY_HEADERS, headerKey, type HeaderTable } from './headers.ts';

/** The layouts that are known by name. */
export type ProductFileFormat = 'shopify_csv' | 'google_merchant_tsv' | 'generic_csv';

export interface ColumnMapping {
  readonly column: string;
  readonly field: string;
}

/** Where each field stands in a file's records. */
export interface ProductLayout {
  readonly format: ProductFileFormat;
  /** Index of the column by field; a field that is not in the file is not in the map */
  readonly columns: ReadonlyMap<ProductField, number>;
  /** What the columns are called in the file, for messages */
  readonly names: ReadonlyMap<ProductField, string>;
  /** What names the product of a row without a handle: nothing, the SKU (Google's id), or the title */
  readonly handleFrom: 'handle' | 'sku' | 'title';
  /** The options that the file has a column for: their order is that of a variant's values */
  readonly options: typeof OPTION_FIELDS;
  /** There is a column for something that only a variant has */
  readonly hasVariants: boolean;
}

/** Columns that only Shopify's files have, by `headerKey` */
const SHOPIFY_SIGNS = ['bodyhtml', 'variantsku', 'variantprice', 'variantgrams', 'variantinventoryqty', 'option1value', 'imagesrc', 'urlhandle', 'publishedononlinestore', 'productimageurl']; // prettier-ignore
/** … and only Google's feeds */
const GOOGLE_SIGNS = ['itemgroupid', 'imagelink', 'additionalimagelink', 'googleproductcategory', 'gtin', 'mpn', 'availability', 'saleprice', 'link']; // prettier-ignore
const SIGNS_MIN = 2;

/** Tells the layout of a file by its columns; what is neither Shopify's nor Google's is read by names. */
export function detectFormat(columns: readonly Column[]): ProductFileFormat {
  const keys = new Set(columns.map(({ name }) => headerKey(name)));
  const signs = (list: readonly string[]): number => list.filter((key) => keys.has(key)).length;
  if ((keys.has('handle') || keys.has('urlhandle')) && signs(SHOPIFY_SIGNS) >= SIGNS_MIN)
    return 'shopify_csv';
  if (keys.has('id') && keys.has('title') && signs(GOOGLE_SIGNS) >= SIGNS_MIN) return 'google_merchant_tsv';
  return 'generic_csv';
}

const TABLES: Readonly<Record<ProductFileFormat, HeaderTable>> = {
  shopify_csv: SHOPIFY_HEADERS,
  google_merchant_tsv: GOOGLE_HEADERS,
  generic_csv: GENERIC_HEADERS,
};

/**
 * Finds our fields among a file's columns: by a given mapping, which then stands alone, or by the names that `format`
 * knows.
 * @throws JobFailure INVALID_FILE when the mapping does not fit the file or nothing names the products
 */
export function layOut(
  columns: readonly Column[],
  format: 'auto' | ProductFileFormat,
  mapping?: readonly ColumnMapping[] | null,
): ProductLayout {
  const actual = format === 'auto' ? detectFormat(columns) : format;
  const found =
    mapping && mapping.length > 0 ? byMapping(columns, mapping) : byNames(columns, TABLES[actual]);
  const names = new Map([...found].map(([field, index]) => [field, columns[index]?.name ?? field]));
  return {
    format: actual,
    columns: found,
    names,
    handleFrom: handleSource(found, columns, actual),
    options: OPTION_FIELDS.filter(({ value }) => found.has(value)),
    hasVariants: [...found.keys()].some((field) => PRODUCT_FIELDS[field].scope === 'variant'),
  };
}

function byNames(columns: readonly Column[], table: HeaderTable): Map<ProductField, number> {
  const found = new Map<ProductField, number>();
  for (const { name, index } of columns) {
    const field = table[headerKey(name)];
    if (field && !found.has(field)) found.set(field, index);
  }
  return found;
}

function byMapping(columns: readonly Column[], mapping: readonly ColumnMapping[]): Map<ProductField, number> {
  const problems = mappingProblems(mapping, columns);
  if (problems.length > 0) throw invalidFile(`The mapping does not fit the file. ${problems.join(' ')}`);
  const found = new Map<ProductField, number>();
  for (const { column, field } of mapping) {
    const index = findColumn(columns, column)?.index;
    if (index !== undefined && isProductField(field)) found.set(field, index);
  }
  return found;
}

/**
 * What is wrong with a mapping, in sentences for people; empty when nothing is. Without `columns`, only the fields
 * are checked: all that can be known before the file is read.
 */
export function mappingProblems(mapping: readonly ColumnMapping[], columns?: readonly Column[]): string[] {
  const problems: string[] = [];
  const seen = new Set<string>();
  for (const { column, field } of mapping) {
    if (!isProductField(field))
      problems.push(`There is no field "${field}"; there are ${PRODUCT_FIELD_NAMES.join(', ')}.`);
    else if (seen.has(field)) problems.push(`The field "${field}" is given two columns.`);
    seen.add(field);
    if (columns && !findColumn(columns, column))
      problems.push(`There is no column "${column}"; there are ${listed(columns)}.`);
  }
  if (!seen.has('handle') && !seen.has('title'))
    problems.push('One column must be the handle or the title of the product.');
  return problems;
}

function findColumn(columns: readonly Column[], name: string): Column | undefined {
  const wanted = name.trim();
  return (
    columns.find((column) => column.name === wanted) ?? columns.find((column) => same(column.name, wanted))
  );
}

function same(a: string, b: string): boolean {
  return a.toLowerCase() === b.toLowerCase();
}

function handleSource(
  found: ReadonlyMap<ProductField, number>,
  columns: readonly Column[],
  format: ProductFileFormat,
): ProductLayout['handleFrom'] {
  if (format === 'google_merchant_tsv' && found.has('sku')) return 'sku';
  if (found.has('handle')) return 'handle';
  if (found.has('title') && found.size > 1) return 'title';
  throw invalidFile(
    `None of the columns says which product a row is about: one named Handle or Title and another of ours must be there. ` +
      `The file has ${listed(columns)}.`,
  );
}

const NAMES_LISTED = 30;

function listed(columns: readonly Column[]): string {
  const names = columns.filter(({ name }) => name !== '').map(({ name }) => `"${name.slice(0, 60)}"`);
  const rest = names.length - NAMES_LISTED;
  return names.slice(0, NAMES_LISTED).join(', ') + (rest > 0 ? ` and ${rest} more` : '');
}
