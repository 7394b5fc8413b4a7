import { newUuid } from '../../../src/domain/ids.ts';
import {
  emptyTally,
  ownKey,
  type BatchPlan,
  type ImportTally,
  type KnownCatalog,
} from '../../../src/services/products/batch-plan.ts';
import type { CatalogImage, CatalogVariant } from '../../../src/domain/product.ts';
import { readHeader } from '../../../src/services/csv/header.ts';
import {
  layOut,
  type ColumnMapping,
  type ProductFileFormat,
  type ProductLayout,
} from '../../../src/services/products/layout.ts';
import type { StoredProduct } from '../../../src/services/products/merge.ts';
import { planBatch } from '../../../src/services/products/plan-batch.ts';
import { readRow, type ProductRow } from '../../../src/services/products/row.ts';
import { decodeEntries, encodeEntries, type SeenProduct } from '../../../src/services/products/seen.ts';
import { variantColumns } from '../../../src/services/products/variant-cells.ts';
import { createHash } from 'node:crypto';

export function layoutOf(
  columns: readonly string[],
  format: 'auto' | ProductFileFormat = 'auto',
  mapping?: ColumnMapping[],
): ProductLayout {
  return layOut(readHeader(columns).columns, format, mapping);
}

export function rowsOf(
  layout: ProductLayout,
  columns: readonly string[],
  rows: readonly (readonly string[])[],
  first = 2,
): ProductRow[] {
  return rows.map((cells, index) =>
    readRow(
      layout,
      { row: first + index, cells, malformed: false, broken: false },
      first + index,
      columns.length,
    ),
  );
}

/** A catalog in memory: what the database would hold after each batch. */
export class MemoryCatalog {
  readonly products = new Map<string, StoredProduct & { description: string | null }>();
  readonly variants = new Map<string, CatalogVariant>();
  readonly images = new Map<string, CatalogImage>();
  private seen = new Map<string, SeenProduct>();

  /** Imports rows in batches of the given sizes (the last is used again), as one file. */
  import(
    columns: readonly string[],
    rows: readonly (readonly string[])[],
    options: { sizes?: readonly number[]; dryRun?: boolean; layout?: ProductLayout } = {},
  ) {
    this.seen = new Map();
    const layout = options.layout ?? layoutOf(columns);
    const sizes = [...(options.sizes ?? [rows.length])];
    const tally: ImportTally = emptyTally();
    const items: BatchPlan['items'] = [];
    for (let from = 0; from < rows.length;) {
      const size = Math.max(1, (sizes.length > 1 ? sizes.shift() : sizes[0]) ?? 1);
      const batch = rowsOf(layout, columns, rows.slice(from, from + size), from + 2);
      const settings = {
        layout,
        variantColumns: variantColumns(layout),
        dryRun: options.dryRun ?? false,
        newId: newUuid,
      };
      const plan = planBatch(batch, this.known(), settings);
      this.apply(plan, options.dryRun ?? false);
      for (const key of Object.keys(tally) as (keyof ImportTally)[]) tally[key] += plan.tally[key];
      items.push(...plan.items);
      from += size;
    }
    return { tally, items };
  }

  /** What a person sees: ids left out. */
  snapshot() {
    const handles = new Map([...this.products.values()].map(({ id, handle }) => [id, handle]));
    return {
      products: [...this.products.values()].map(({ id: _, descriptionMd5: __, ...rest }) => rest),
      variants: [...this.variants.values()].map(({ id: _, productId, ...rest }) => ({
        handle: handles.get(productId),
        ...rest,
      })),
      images: [...this.images.values()].map(({ productId, ...rest }) => ({
        handle: handles.get(productId),
        ...rest,
      })),
    };
  }

  private known(): KnownCatalog {
    return { products: this.products, variants: this.variants, images: this.images, seen: this.seen };
  }

  private apply(plan: BatchPlan, dryRun: boolean): void {
    for (const [handle, seen] of [...plan.newlySeen, ...plan.seenAgain]) {
      // As it comes back from the database: what was staged is gone.
      this.seen.set(handle, { ...seen, entries: decodeEntries(encodeEntries(seen.entries)) });
    }
    if (dryRun) return;
    for (const product of plan.newProducts) {
      const { descriptionHtml, ...rest } = product;
      this.products.set(product.handle, {
        ...rest,
        description: descriptionHtml,
        descriptionMd5: md5(descriptionHtml),
      });
    }
    for (const { description, ...rest } of plan.changedProducts) {
      const before = this.products.get(rest.handle);
      const html = description ? description.html : (before?.description ?? null);
      this.products.set(rest.handle, { ...rest, description: html, descriptionMd5: md5(html) });
    }
    for (const variant of [...plan.newVariants, ...plan.changedVariants]) {
      this.variants.set(ownKey(variant.productId, variant.key), variant);
    }
    for (const image of [...plan.newImages, ...plan.changedImages])
      this.images.set(ownKey(image.productId, image.url), image);
  }
}

function md5(text: string | null): string | null {
  return text === null ? null : createHash('md5').update(text).digest('hex');
}
