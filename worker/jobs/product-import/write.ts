import { runCopy } from '../../../src/repositories/copy.ts';
import type { Tx } from '../../../src/repositories/db.ts';
import { seenKeyCopy, updateSeenKeys, type SeenKey } from '../../../src/repositories/product-import-scratch.ts';
import { imageCopy, productCopy, updateImages, updateProducts } from '../../../src/repositories/products.ts';
import { updateVariants, variantCopy } from '../../../src/repositories/variants.ts';
import type { BatchPlan } from '../../../src/services/products/batch-plan.ts';
import { encodeEntries, handleHash, type SeenProduct } from '../../../src/services/products/seen.ts';

/**
 * Writes what a batch does to the catalog, unless it is a dry run, and what later batches must know of this one.
 * @param onWriting called when all is computed and only the database has work left
 */
export async function writePlan(tx: Tx, place: WritePlace, plan: BatchPlan, onWriting: () => void): Promise<void> {
  const { organizationId, jobId, dryRun } = place;
  const seenAgain = seenKeys(plan.seenAgain);
  const copies = [seenKeyCopy(jobId, seenKeys(plan.newlySeen))];
  if (!dryRun) {
    // Products before what belongs to them.
    copies.push(productCopy(organizationId, plan.newProducts));
    copies.push(variantCopy(organizationId, plan.newVariants));
    copies.push(imageCopy(organizationId, plan.newImages));
  }
  onWriting();
  for (const copy of copies) await runCopy(tx, copy);
  await updateSeenKeys(tx, jobId, seenAgain);
  if (dryRun) return;
  await updateProducts(tx, organizationId, plan.changedProducts);
  await updateVariants(tx, organizationId, plan.changedVariants);
  await updateImages(tx, organizationId, plan.changedImages);
}

export interface WritePlace {
  readonly organizationId: string;
  readonly jobId: string;
  readonly dryRun: boolean;
}

function seenKeys(products: ReadonlyMap<string, SeenProduct>): SeenKey[] {
  return [...products].map(([handle, { row, rejected, entries }]) => ({
    hash: handleHash(handle),
    row,
    rejected,
    entries: encodeEntries(entries),
  }));
}
