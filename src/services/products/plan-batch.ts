import { emptyPlan, ownKey, type BatchPlan, type KnownCatalog } from './batch-plan.ts';
import type { ImageCells } from './image-cells.ts';
import type { ProductLayout } from './layout.ts';
import { changeProduct, mergeImage, mergeVariant, sameImage, sameVariant } from './merge.ts';
import { optionNames, readProduct, type ProductCells } from './product-cells.ts';
import type { ProductRow } from './row.ts';
import { shortHash, type SeenEntry, type SeenProduct, type SeenState, type StagedVariant } from './seen.ts';
import { newVariant, type VariantCells, type VariantColumn } from './variant-cells.ts';

export interface PlanSettings {
  readonly layout: ProductLayout;
  /** Catalog columns of a variant that the file speaks about */
  readonly variantColumns: readonly VariantColumn[];
  /** What an earlier batch of a dry run would have made is not in the catalog */
  readonly dryRun: boolean;
  newId(): string;
}

/** Variants and pictures that one file may give one product: beyond it, a wrong column names the products. */
export const ENTRIES_PER_PRODUCT_MAX = 5_000;

/**
 * Decides what a batch of rows does to the catalog, as if its rows were applied one after the other. Pure: the same
 * rows, however they are cut into batches, come to the same catalog and the same counts.
 */
export function planBatch(
  rows: readonly ProductRow[],
  known: KnownCatalog,
  settings: PlanSettings,
): BatchPlan {
  const planner = new Planner(known, settings);
  rows.forEach((row, index) => planner.add(row, index));
  return planner.end();
}

/** A product that is known by now: by the catalog, by this batch, or, in a dry run, only by name (`id` null then). */
interface Place {
  readonly id: string | null;
  readonly seen: SeenProduct;
}

class Planner {
  readonly plan = emptyPlan();
  private readonly known: KnownCatalog;
  private readonly settings: PlanSettings;
  /** Ids of products that this batch creates, by handle */
  private readonly fresh = new Map<string, string>();
  private readonly staged: StagedVariant[] = [];

  constructor(known: KnownCatalog, settings: PlanSettings) {
    this.known = known;
    this.settings = settings;
  }

  add(row: ProductRow, index: number): void {
    const states = row.handle === null ? [] : this.apply(row, row.handle);
    const { tally, items, rejected } = this.plan;
    items.push(...row.cells.items);
    if (row.cells.failed) {
      tally.rejected += 1;
      rejected.push(index);
      return;
    }
    if (row.cells.items.length > 0) tally.warned += 1;
    tally[rowState(states)] += 1;
  }

  /** Of several rows about one variant, the last is written; what comes back to what is stored is not. */
  end(): BatchPlan {
    for (const { wanted, stored } of this.staged) {
      if (!stored) this.plan.newVariants.push(wanted);
      else if (!sameVariant(stored, wanted)) this.plan.changedVariants.push(wanted);
    }
    return this.plan;
  }

  /** @returns what the row did: to its variant, else its picture, else its product first */
  private apply(row: ProductRow, handle: string): SeenState[] {
    const useless = row.cells.failed;
    const before = this.seen(handle);
    const product = before ? 'unchanged' : this.open(row, handle);
    const seen = before ?? this.seen(handle);
    if (!seen || product === null) return [];
    if (seen.rejected) {
      const message = `The product "${handle}" could not be imported because of row ${seen.row}: see there.`;
      row.cells.note('PRODUCT_REJECTED', message, 'failed');
      return [];
    }
    const id = this.fresh.get(handle) ?? this.known.products.get(handle)?.id ?? null;
    if (id === null && !this.settings.dryRun) {
      row.cells.note(
        'PRODUCT_GONE',
        `The product "${handle}" was deleted while the import ran. Import the row again.`,
        'failed',
      );
      return [];
    }
    const place = { id, seen };
    const variant = row.variant && !useless ? this.placeVariant(row, row.variant, place) : null;
    const images = row.images.map((image) => this.placeImage(row, image, place));
    return [...(variant ? [variant] : []), ...images, product];
  }

  private seen(handle: string): SeenProduct | undefined {
    const here = this.plan.newlySeen.get(handle) ?? this.plan.seenAgain.get(handle);
    if (here) return here;
    const earlier = this.known.seen.get(handle);
    if (earlier) this.plan.seenAgain.set(handle, earlier);
    return earlier;
  }

  /** The first row of a product in the file. @returns null when the product's own columns are of no use */
  private open(row: ProductRow, handle: string): SeenState | null {
    const { cells } = row;
    const faults = cells.items.length;
    const product = readProduct(cells, this.settings.layout);
    const stored = this.known.products.get(handle);
    if (!stored && product.title === undefined && cells.text('title') === '') {
      cells.fault(
        'title',
        'TITLE_MISSING',
        `is blank, and row ${cells.row} is the first of a product that is new`,
        'failed',
      );
    }
    const rejected = cells.items.slice(faults).some((item) => item.outcome === 'failed');
    this.plan.newlySeen.set(handle, { row: cells.row, rejected, entries: new Map() });
    if (rejected) return null;
    if (!stored) return this.create(handle, product);
    const changed = changeProduct(stored, product);
    if (!changed) return 'unchanged';
    this.plan.changedProducts.push(changed);
    this.plan.tally.productsUpdated += 1;
    return 'updated';
  }

  private create(handle: string, cells: ProductCells): SeenState {
    const id = this.settings.newId();
    this.fresh.set(handle, id);
    this.plan.tally.productsCreated += 1;
    this.plan.newProducts.push({
      id,
      handle,
      title: cells.title ?? handle,
      descriptionHtml: cells.descriptionHtml ?? null,
      vendor: cells.vendor ?? null,
      productType: cells.productType ?? null,
      tags: cells.tags ?? [],
      status: cells.status ?? 'active',
      optionNames: optionNames(cells.optionNames ?? [], []),
    });
    return 'created';
  }

  private placeVariant(row: ProductRow, cells: VariantCells, { id, seen }: Place): SeenState | null {
    const earlier = seen.entries.get(cells.keyHash);
    if (!earlier && seen.entries.size >= ENTRIES_PER_PRODUCT_MAX) return this.tooMany(row);
    const staged = this.stage(cells, earlier?.staged ?? null, row.handle ?? '', id);
    const { state, did } = earlier ? this.again(row, cells, earlier) : this.first(staged);
    seen.entries.set(cells.keyHash, { content: cells.contentHash, row: row.cells.row, state, staged });
    return did;
  }

  private first(staged: StagedVariant | null): { state: SeenState; did: SeenState } {
    const { tally } = this.plan;
    const state = !staged?.stored
      ? 'created'
      : sameVariant(staged.stored, staged.wanted)
        ? 'unchanged'
        : 'updated';
    if (state === 'created') tally.variantsCreated += 1;
    if (state === 'updated') tally.variantsUpdated += 1;
    return { state, did: state };
  }

  private again(
    row: ProductRow,
    cells: VariantCells,
    earlier: SeenEntry,
  ): { state: SeenState; did: SeenState } {
    const message = `Row ${earlier.row} is about the same variant (${describe(cells)}). This row, the later one, counts.`;
    row.cells.note('DUPLICATE_VARIANT', message, 'warned');
    if (earlier.content === cells.contentHash) return { state: earlier.state, did: 'unchanged' };
    if (earlier.state !== 'unchanged') return { state: earlier.state, did: 'updated' };
    this.plan.tally.variantsUpdated += 1;
    return { state: 'updated', did: 'updated' };
  }

  /** Notes what is to be written; null for a product that a dry run did not make. */
  private stage(
    cells: VariantCells,
    staged: StagedVariant | null,
    handle: string,
    id: string | null,
  ): StagedVariant | null {
    if (id === null) return null;
    if (staged) {
      staged.wanted = mergeVariant(staged.wanted, cells.columns, this.settings.variantColumns);
      return staged;
    }
    const stored = this.fresh.has(handle)
      ? undefined
      : this.known.variants.get(ownKey(id, cells.columns.key));
    const wanted = stored
      ? mergeVariant(stored, cells.columns, this.settings.variantColumns)
      : newVariant(this.settings.newId(), id, cells);
    const made = { wanted, stored };
    this.staged.push(made);
    return made;
  }

  /** A picture is what its first row in the file says. */
  private placeImage(row: ProductRow, cells: ImageCells, { id, seen }: Place): SeenState {
    const hash = shortHash(`image ${cells.url}`);
    if (seen.entries.has(hash)) return 'unchanged';
    if (seen.entries.size >= ENTRIES_PER_PRODUCT_MAX) return this.tooMany(row);
    const stored = id === null ? undefined : this.known.images.get(ownKey(id, cells.url));
    const merged = stored ? mergeImage(stored, cells) : { ...cells, productId: id ?? '' };
    const state = stored === undefined ? 'created' : sameImage(stored, merged) ? 'unchanged' : 'updated';
    seen.entries.set(hash, { content: hash, row: row.cells.row, state, staged: null });
    if (id !== null && state === 'created') this.plan.newImages.push(merged);
    if (state === 'updated') this.plan.changedImages.push(merged);
    return state;
  }

  private tooMany(row: ProductRow): SeenState {
    const message = `The file has more than ${ENTRIES_PER_PRODUCT_MAX} variants and pictures of the product "${row.handle ?? ''}". Is the right column its handle?`;
    row.cells.note('TOO_MANY_VARIANTS', message, 'failed');
    return 'unchanged';
  }
}

/** A row created what it is about first, or else changed something, or nothing. */
function rowState([first, ...rest]: readonly SeenState[]): SeenState {
  if (first === 'created') return 'created';
  return [first, ...rest].some((state) => state === 'created' || state === 'updated')
    ? 'updated'
    : 'unchanged';
}

function describe({ columns: { sku, optionValues } }: VariantCells): string {
  if (sku !== null) return `SKU ${sku}`;
  return optionValues.length > 0 ? optionValues.join(' / ') : 'no SKU, no options';
}
