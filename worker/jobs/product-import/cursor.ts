import { z } from 'zod';
import { emptyTally } from '../../../src/services/products/batch-plan.ts';

const count = z.int().nonnegative();

/** How far an import has come: kept as the job's checkpoint, committed with each batch. */
export const importCursor = z.strictObject({
  /** Data records of the file that are done, blank ones included */
  records: count,
  tally: z.strictObject({
    created: count,
    updated: count,
    unchanged: count,
    rejected: count,
    warned: count,
    productsCreated: count,
    productsUpdated: count,
    variantsCreated: count,
    variantsUpdated: count,
  }),
});

export type ImportCursor = z.infer<typeof importCursor>;

export function startCursor(): ImportCursor {
  return { records: 0, tally: emptyTally() };
}

export function advance(cursor: ImportCursor, records: number, tally: ImportCursor['tally']): ImportCursor {
  return {
    records,
    tally: {
      created: cursor.tally.created + tally.created,
      updated: cursor.tally.updated + tally.updated,
      unchanged: cursor.tally.unchanged + tally.unchanged,
      rejected: cursor.tally.rejected + tally.rejected,
      warned: cursor.tally.warned + tally.warned,
      productsCreated: cursor.tally.productsCreated + tally.productsCreated,
      productsUpdated: cursor.tally.productsUpdated + tally.productsUpdated,
      variantsCreated: cursor.tally.variantsCreated + tally.variantsCreated,
      variantsUpdated: cursor.tally.variantsUpdated + tally.variantsUpdated,
    },
  };
}

/** Rows that count: all but the blank ones. */
export function processedRows({ tally }: ImportCursor): number {
  return tally.created + tally.updated + tally.unchanged + tally.rejected;
}
