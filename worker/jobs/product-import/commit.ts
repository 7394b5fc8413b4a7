import { DatabaseError } from 'pg';
import { newUuid } from '../../../src/domain/ids.ts';
import { insertRejectedLines } from '../../../src/repositories/product-import-scratch.ts';
import { lockCatalog } from '../../../src/repositories/products.ts';
import type { CsvTable } from '../../../src/services/csv/table.ts';
import type { BatchPlan } from '../../../src/services/products/batch-plan.ts';
import type { ProductLayout } from '../../../src/services/products/layout.ts';
import { planBatch } from '../../../src/services/products/plan-batch.ts';
import type { RejectedFile } from '../../../src/services/products/rejected-file.ts';
import { readRow, type ProductRow } from '../../../src/services/products/row.ts';
import { variantColumns } from '../../../src/services/products/variant-cells.ts';
import type { JobContext } from '../../context.ts';
import type { RecordBatch } from './batches.ts';
import { advance, type ImportCursor } from './cursor.ts';
import { readKnown } from './known.ts';
import { writePlan } from './write.ts';

/** What all batches of one import share. */
export interface ImportPlan {
  readonly table: CsvTable;
  readonly layout: ProductLayout;
  readonly rejectedFile: RejectedFile;
  readonly dryRun: boolean;
}

/** Reads each record of a batch on its own; the catalog is not asked. */
export function readRows(plan: ImportPlan, batch: RecordBatch): ProductRow[] {
  const columns = plan.table.header.columns.length;
  return batch.records.map((record) =>
    readRow(plan.layout, record, plan.rejectedFile.originalRow(record), columns),
  );
}

/**
 * Commits a batch whole: catalog, ledger, counts, rejected rows and the cursor, or nothing.
 * @param onWriting called when only the database has work left
 * @returns the new cursor
 */
export async function commitBatch(
  ctx: JobContext,
  plan: ImportPlan,
  batch: RecordBatch,
  rows: readonly ProductRow[],
  cursor: ImportCursor,
  onWriting: () => void,
): Promise<ImportCursor> {
  return ctx.transaction(async (tx) => {
    await lockCatalog(tx, ctx.organization.id);
    const known = await readKnown(tx, ctx.organization.id, ctx.jobId, rows);
    const { layout, dryRun } = plan;
    const done = planBatch(rows, known, {
      layout,
      variantColumns: variantColumns(layout),
      dryRun,
      newId: newUuid,
    });
    await writePlan(tx, { organizationId: ctx.organization.id, jobId: ctx.jobId, dryRun }, done, onWriting);
    const lines = rejectedLines(plan, batch, rows, done);
    if (lines !== '') await insertRejectedLines(tx, ctx.jobId, batch.records[0]?.row ?? 0, lines);
    const next = advance(cursor, batch.recordsRead, done.tally);
    const { rejected, warned } = done.tally;
    tx.items(done.items);
    tx.count({ processed: rows.length, succeeded: rows.length - rejected, warned, failed: rejected });
    tx.checkpoint(next);
    return next;
  });
}

function rejectedLines(
  plan: ImportPlan,
  batch: RecordBatch,
  rows: readonly ProductRow[],
  done: BatchPlan,
): string {
  return done.rejected
    .map((index) => {
      const record = batch.records[index];
      const row = rows[index];
      return record && row ? plan.rejectedFile.line(record, row.cells.row, row.cells.items) : '';
    })
    .join('');
}

/** Codes of https://www.postgresql.org/docs/current/errcodes-appendix.html after which the same work may succeed */
const TRANSIENT_CODES: ReadonlySet<string> = new Set(['23505', '40001', '40P01']);

/** Another writer, which does not know of the catalog's lock, came between: the batch is read and planned anew. */
export function isCollision(error: unknown): boolean {
  return error instanceof DatabaseError && error.code !== undefined && TRANSIENT_CODES.has(error.code);
}
