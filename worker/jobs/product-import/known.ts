import { findSeenKeys } from '../../../src/repositories/product-import-scratch.ts';
import {
  findImages,
  findProducts,
  type FoundProduct,
  type WithinProduct,
} from '../../../src/repositories/products.ts';
import { findVariants } from '../../../src/repositories/variants.ts';
import type { Sql } from '../../../src/repositories/db.ts';
import { ownKey, type KnownCatalog } from '../../../src/services/products/batch-plan.ts';
import type { ProductRow } from '../../../src/services/products/row.ts';
import { decodeEntries, handleHash } from '../../../src/services/products/seen.ts';

/** Reads all that the catalog and the earlier batches know of the products of a batch: four queries at most. */
export async function readKnown(
  sql: Sql,
  organizationId: string,
  jobId: string,
  rows: readonly ProductRow[],
): Promise<KnownCatalog> {
  const handles = new Set(rows.map(({ handle }) => handle).filter((handle) => handle !== null));
  const byHash = new Map([...handles].map((handle) => [handleHash(handle), handle]));
  // One after the other: a connection takes one query at a time.
  const found = await findProducts(sql, organizationId, [...handles]);
  const keys = await findSeenKeys(sql, jobId, [...byHash.keys()]);
  const products = new Map(found.map((product) => [product.handle, product]));
  const within = wanted(rows, products);
  const variants = await findVariants(sql, organizationId, within.variants);
  const images = await findImages(sql, organizationId, within.images);
  return {
    products,
    variants: new Map(variants.map((variant) => [ownKey(variant.productId, variant.key), variant])),
    images: new Map(images.map((image) => [ownKey(image.productId, image.url), image])),
    seen: new Map(
      keys.map(({ hash, row, rejected, entries }) => [
        byHash.get(hash) ?? '',
        { row, rejected, entries: decodeEntries(entries) },
      ]),
    ),
  };
}

/** What to look up within products that exist: each once. */
function wanted(rows: readonly ProductRow[], products: ReadonlyMap<string, FoundProduct>) {
  const variants = new Map<string, WithinProduct>();
  const images = new Map<string, WithinProduct>();
  for (const row of rows) {
    const productId = row.handle === null ? undefined : products.get(row.handle)?.id;
    if (productId === undefined) continue;
    const key = row.variant?.columns.key;
    if (key !== undefined) variants.set(ownKey(productId, key), { productId, key });
    for (const { url } of row.images) images.set(ownKey(productId, url), { productId, key: url });
  }
  return { variants: [...variants.values()], images: [...images.values()] };
}
