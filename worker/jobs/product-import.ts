import type { productImport } from '../../src/jobs/product-import.ts';
import { deleteImportScratch } from '../../src/repositories/product-import-scratch.ts';
import { insertFile } from '../../src/repositories/files.ts';
import { AttemptLostError } from '../../src/repositories/job-fence.ts';
import { openTable } from '../../src/services/csv/table.ts';
import { layOut } from '../../src/services/products/layout.ts';
import { rejectedFile, restoreTable } from '../../src/services/products/rejected-file.ts';
import type { Handler, JobContext } from '../context.ts';
import { readBatches, type BatchLimits, type RecordBatch } from './product-import/batches.ts';
import { commitBatch, isCollision, readRows, type ImportPlan } from './product-import/commit.ts';
import { importCursor, processedRows, startCursor, type ImportCursor } from './product-import/cursor.ts';
import { storeRejectedRows } from './product-import/rejected-rows.ts';
import { openSource, type ImportInput, type ImportSource } from './product-import/source.ts';

/** Measured: smaller batches cost commits and round trips, larger ones memory (2,000 rows: 20 MB more) */
export const BATCH_LIMITS: BatchLimits = { rows: 1_000, characters: 4 * 1024 ** 2 };
const COLLISIONS_MAX = 3;

/** Streams a product file into the catalog; see `src/jobs/product-import.ts` for what goes in and comes out. */
export const importProducts: Handler<typeof productImport> = async (ctx, input) => {
  const done = await ctx.resume(importCursor);
  const source = await openSource(ctx, input.source);
  try {
    const plan = await openPlan(ctx, input, source);
    const cursor = await importBatches(ctx, plan, source, done ?? startCursor());
    await finish(ctx, plan, source, cursor);
    const { warned: _, ...result } = cursor.tally;
    return result;
  } finally {
    source.body.destroy();
  }
};

async function openPlan(ctx: JobContext, input: ImportInput, source: ImportSource): Promise<ImportPlan> {
  const table = restoreTable(await openTable(source.body));
  const layout = layOut(table.header.columns, input.format, input.mapping);
  for (const name of table.header.repeated)
    ctx.log.warn(`The column "${name}" is there more than once; only the first is read.`);
  ctx.log.info(
    `Reading ${layout.columns.size} of ${table.header.columns.length} columns as ${FORMAT_NAMES[layout.format]}.`,
  );
  return {
    table,
    layout,
    rejectedFile: rejectedFile(table.header, table.dialect.delimiter),
    dryRun: input.dryRun,
  };
}

const FORMAT_NAMES = {
  shopify_csv: 'a Shopify product file',
  google_merchant_tsv: 'a Google Merchant feed',
  generic_csv: 'a product file, by the names of its columns',
} as const;

/**
 * Reads the next batch while the database writes the last one; never more than one commit is under way. Reading waits
 * until the commit has only the database's work left: else it is done while the commit looks things up, and the
 * database works alone afterwards.
 */
async function importBatches(
  ctx: JobContext,
  plan: ImportPlan,
  source: ImportSource,
  from: ImportCursor,
): Promise<ImportCursor> {
  let committed = Promise.resolve(from);
  try {
    for await (const batch of readBatches(plan.table, from.records, BATCH_LIMITS)) {
      const rows = readRows(plan, batch);
      const cursor = await committed;
      ctx.signal.throwIfAborted();
      await new Promise<void>((onWriting) => {
        committed = commit(ctx, { plan, batch, rows, cursor, onWriting });
        committed
          .then(
            (next) => report(ctx, source, batch, next),
            () => undefined,
          )
          .finally(onWriting);
      });
    }
    return await committed;
  } finally {
    // A file that breaks off must not leave a transaction behind that still runs.
    await committed.catch(() => undefined);
  }
}

interface Commit {
  readonly plan: ImportPlan;
  readonly batch: RecordBatch;
  readonly rows: ReturnType<typeof readRows>;
  readonly cursor: ImportCursor;
  onWriting(): void;
}

async function commit(
  ctx: JobContext,
  { plan, batch, rows, cursor, onWriting }: Commit,
): Promise<ImportCursor> {
  if (batch.records.length === 0) return { ...cursor, records: Math.max(cursor.records, batch.recordsRead) };
  for (let collisions = 0; ; collisions += 1) {
    try {
      const fresh = collisions === 0 ? rows : readRows(plan, batch);
      return await commitBatch(ctx, plan, batch, fresh, cursor, onWriting);
    } catch (error) {
      if (!isCollision(error) || collisions >= COLLISIONS_MAX) throw error;
    }
  }
}

function report(ctx: JobContext, source: ImportSource, batch: RecordBatch, cursor: ImportCursor): void {
  const rows = processedRows(cursor).toLocaleString('en');
  ctx.progress(Math.min(batch.bytesRead, source.byteSize), source.byteSize, `${rows} rows`);
}

/** The last transaction: the file of rejected rows and the total. What was kept between batches goes afterwards. */
async function finish(
  ctx: JobContext,
  plan: ImportPlan,
  source: ImportSource,
  cursor: ImportCursor,
): Promise<void> {
  const file = cursor.tally.rejected > 0 ? await storeRejectedRows(ctx, plan, source) : null;
  try {
    await ctx.transaction(async (tx) => {
      if (file) await insertFile(tx, file);
      tx.count({ total: processedRows(cursor) });
      tx.checkpoint(cursor);
    });
  } catch (error) {
    // Only then it is certain that nothing was committed: a commit whose answer got lost may hold the file.
    if (file && error instanceof AttemptLostError) await ctx.storage.remove(file.storageKey);
    throw error;
  }
  await deleteImportScratch(ctx.db, ctx.jobId);
}
