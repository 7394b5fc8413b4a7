import type { LedgerItem } from '../../domain/job.ts';
import type { CatalogImage, CatalogProduct, CatalogVariant } from '../../domain/product.ts';
import type { ChangedProduct, StoredProduct } from './merge.ts';
import type { SeenProduct } from './seen.ts';

/** Rows by what they did, then the products and variants that they did it to; a product or variant counts once. */
export interface ImportTally {
  created: number;
  updated: number;
  unchanged: number;
  rejected: number;
  warned: number;
  productsCreated: number;
  productsUpdated: number;
  variantsCreated: number;
  variantsUpdated: number;
}

export function emptyTally(): ImportTally {
  return {
    created: 0,
    updated: 0,
    unchanged: 0,
    rejected: 0,
    warned: 0,
    productsCreated: 0,
    productsUpdated: 0,
    variantsCreated: 0,
    variantsUpdated: 0,
  };
}

/** What the catalog and the file's earlier batches hold of the products that a batch names. */
export interface KnownCatalog {
  /** By handle */
  readonly products: ReadonlyMap<string, StoredProduct>;
  /** By `ownKey` of product and variant key */
  readonly variants: ReadonlyMap<string, CatalogVariant>;
  /** By `ownKey` of product and address */
  readonly images: ReadonlyMap<string, CatalogImage>;
  /** By handle */
  readonly seen: ReadonlyMap<string, SeenProduct>;
}

/** Key of something within a product. */
export function ownKey(productId: string, key: string): string {
  return `${productId} ${key}`;
}

/** What a batch of rows does: to be written as it stands, in one transaction. */
export interface BatchPlan {
  readonly tally: ImportTally;
  readonly items: LedgerItem[];
  /** Indexes of the rejected rows within the batch, in order */
  readonly rejected: number[];
  readonly newProducts: CatalogProduct[];
  readonly changedProducts: ChangedProduct[];
  readonly newVariants: CatalogVariant[];
  readonly changedVariants: CatalogVariant[];
  readonly newImages: CatalogImage[];
  readonly changedImages: CatalogImage[];
  /** Products named for the first time in the file, by handle */
  readonly newlySeen: Map<string, SeenProduct>;
  /** Products named before, by an earlier batch, by handle */
  readonly seenAgain: Map<string, SeenProduct>;
}

export function emptyPlan(): BatchPlan {
  return {
    tally: emptyTally(),
    items: [],
    rejected: [],
    newProducts: [],
    changedProducts: [],
    newVariants: [],
    changedVariants: [],
    newImages: [],
    changedImages: [],
    newlySeen: new Map(),
    seenAgain: new Map(),
  };
}
