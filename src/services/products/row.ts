import type { CsvRecord } from '../csv/records.ts';
import { readImages, type ImageCells } from './image-cells.ts';
import type { ProductLayout } from './layout.ts';
import { RowCells } from './row-cells.ts';
import { readVariant, speaksOfVariant, type VariantCells } from './variant-cells.ts';
import { parseText } from './values/simple.ts';

/** One record of a product file, read on its own: nothing of other rows or of the catalog is known here. */
export interface ProductRow {
  readonly cells: RowCells;
  /** Null when the row does not say which product it is about; it has failed then */
  readonly handle: string | null;
  /** Null for a row that is only about the product or its pictures */
  readonly variant: VariantCells | null;
  readonly images: readonly ImageCells[];
}

const HANDLE_CHARACTERS_MAX = 255;

/** @param row the record's number for people */
export function readRow(
  layout: ProductLayout,
  record: CsvRecord,
  row: number,
  columnCount: number,
): ProductRow {
  const cells = new RowCells(layout, record, row);
  if (!isSound(cells, record, columnCount)) return { cells, handle: null, variant: null, images: [] };
  const handle = readHandle(cells, layout);
  const hasVariant = speaksOfVariant(cells) || (layout.hasVariants && cells.text('title') !== '');
  const variant = hasVariant ? readVariant(cells, layout) : null;
  const images = readImages(cells, hasVariant ? 'warned' : 'failed');
  if (!hasVariant && images.length === 0 && !cells.failed && saysNothing(cells)) {
    cells.note('NOTHING_TO_IMPORT', 'The row names a product and says nothing about it.', 'failed');
  }
  if (record.broken) {
    cells.note(
      'BROKEN_CHARACTER',
      'Some characters cannot be read; "\uFFFD" stands for them. Save the file as UTF-8.',
      'warned',
    );
  }
  return { cells, handle, variant, images };
}

/** False when it cannot be told which cell belongs to which column: nothing of the row can be trusted then. */
function isSound(cells: RowCells, record: CsvRecord, columnCount: number): boolean {
  if (record.malformed) {
    const message =
      'A quotation mark in the row is in a wrong place. Put quotes around the whole cell and double those inside it.';
    cells.note('MALFORMED_QUOTES', message, 'failed');
    return false;
  }
  if (
    record.cells.length > columnCount &&
    record.cells.slice(columnCount).some((cell) => cell.trim() !== '')
  ) {
    const message = `The row has ${record.cells.length} cells, the header ${columnCount}. Put quotes around cells that hold a delimiter.`;
    cells.note('TOO_MANY_CELLS', message, 'failed');
    return false;
  }
  return true;
}

function readHandle(cells: RowCells, layout: ProductLayout): string | null {
  const given = cells.read('handle', (text) => parseText(text, HANDLE_CHARACTERS_MAX));
  if (given !== null || cells.failed) return given;
  if (layout.handleFrom === 'sku') return named(cells, 'sku', cells.text('sku'));
  if (layout.handleFrom === 'title') return named(cells, 'title', slug(cells.text('title')));
  return named(cells, 'handle', '');
}

function named(cells: RowCells, field: 'handle' | 'sku' | 'title', handle: string): string | null {
  if (handle !== '' && handle.length <= HANDLE_CHARACTERS_MAX) return handle;
  const message =
    handle === ''
      ? 'is blank: the row does not say which product it is about'
      : 'is too long to name a product';
  cells.fault(field, `${field.toUpperCase()}_MISSING`, message, 'failed');
  return null;
}

/** "Käsebrett, groß" → "kasebrett-gross" */
function slug(title: string): string {
  const plain = title.normalize('NFKD').replace(/\p{M}/gu, '').toLowerCase().replaceAll('ß', 'ss');
  return plain.replace(/[^\p{L}\p{N}]+/gu, '-').replace(/^-+|-+$/g, '');
}

function saysNothing(cells: RowCells): boolean {
  return (['title', 'description', 'vendor', 'type', 'tags', 'status', 'published'] as const).every(
    (field) => cells.text(field) === '',
  );
}
