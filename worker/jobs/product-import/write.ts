import { runCopy, type Copy } from '../../../src/repositories/copy.ts';
import type { Tx } from '../../../src/repositories/db.ts';
import {
  seenKeyCopy,
  updateSeenKeys,
  type SeenKey,
} from '../../../src/repositories/product-import-scratch.ts';
import { imageCopy, productCopy, updateImages, updateProducts } from '../../../src/repositories/products.ts';
import { updateVariants, variantCopy } from '../../../src/repositories/variants.ts';
import type { BatchPlan } from '../../../src/services/products/batch-plan.ts';
import { encodeEntries, handleHash, type SeenProduct } from '../../../src/services/products/seen.ts';

/**
 * Writes what a batch does to the catalog, unless it is a dry run, and what later batches must know of this one.
 * @param onWriting called when all is computed and only the database has work left
 */
export async function writePlan(
  tx: Tx,
  place: WritePlace,
  plan: BatchPlan,
  onWriting: () => void,
): Promise<void> {
  const { organizationId, jobId, dryRun } = place;
  const seen = { added: seenKeys(plan.newlySeen), changed: seenKeys(plan.seenAgain) };
  const rest = [() => seenKeyCopy(jobId, seen.added)];
  if (!dryRun) rest.unshift(() => imageCopy(organizationId, plan.newImages));
  // Products before what belongs to them. Each is made into text while the server works on the one before.
  if (!dryRun)
    await runCopies(
      tx,
      [
        () => productCopy(organizationId, plan.newProducts),
        () => variantCopy(organizationId, plan.newVariants),
      ],
      onWriting,
    );
  await runCopies(tx, rest, onWriting);
  await updateSeenKeys(tx, jobId, seen.changed);
  if (dryRun) return;
  await updateProducts(tx, organizationId, plan.changedProducts);
  await updateVariants(tx, organizationId, plan.changedVariants);
  await updateImages(tx, organizationId, plan.changedImages);
}

/** @param onLast called when the server is at work on the last of them */
async function runCopies(tx: Tx, makers: readonly (() => Copy)[], onLast: () => void): Promise<void> {
  let next = makers[0]?.();
  for (let index = 1; next; index += 1) {
    const copy: Copy = next;
    next = undefined;
    await runCopy(tx, copy, () => {
      next = makers[index]?.();
      if (!next) onLast();
    });
  }
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
