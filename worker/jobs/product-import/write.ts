import type { Tx } from '../../../src/repositories/db.ts';
import { insertSeenKeys, updateSeenKeys, type SeenKey } from '../../../src/repositories/product-import-scratch.ts';
import { insertImages, insertProducts, updateImages, updateProducts } from '../../../src/repositories/products.ts';
import { insertVariants, updateVariants } from '../../../src/repositories/variants.ts';
import type { BatchPlan } from '../../../src/services/products/batch-plan.ts';
import { encodeEntries, handleHash, type SeenProduct } from '../../../src/services/products/seen.ts';

/** Writes what a batch does to the catalog: products before what belongs to them. */
export async function writeCatalog(tx: Tx, organizationId: string, plan: BatchPlan): Promise<void> {
  await insertProducts(tx, organizationId, plan.newProducts);
  await updateProducts(tx, organizationId, plan.changedProducts);
  await insertVariants(tx, organizationId, plan.newVariants);
  await updateVariants(tx, organizationId, plan.changedVariants);
  await insertImages(tx, organizationId, plan.newImages);
  await updateImages(tx, organizationId, plan.changedImages);
}

/** Writes what later batches must know of this one. */
export async function writeSeen(tx: Tx, jobId: string, plan: BatchPlan): Promise<void> {
  await insertSeenKeys(tx, jobId, seenKeys(plan.newlySeen));
  await updateSeenKeys(tx, jobId, seenKeys(plan.seenAgain));
}

function seenKeys(products: ReadonlyMap<string, SeenProduct>): SeenKey[] {
  return [...products].map(([handle, { row, rejected, entries }]) => ({
    hash: handleHash(handle),
    row,
    rejected,
    entries: encodeEntries(entries),
  }));
}
