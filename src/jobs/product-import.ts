import { z } from 'zod';
import { isProductField, PRODUCT_FIELD_NAMES } from '../services/products/fields.ts';
import { mappingProblems } from '../services/products/layout.ts';
import { defineJob } from './define.ts';

export const PRODUCT_FILE_FORMATS = ['auto', 'shopify_csv', 'google_merchant_tsv', 'generic_csv'] as const;

/** Exactly one of them. The last is ours alone: the rejected rows of an earlier job, which `retryFailedItems` reads. */
export const fileSource = z
  .union([
    z.object({
      uploadId: z.uuid().meta({ idOf: 'upload', description: 'An upload that the file was PUT to' }),
    }),
    z
      .object({ rejectedRowsOf: z.uuid().meta({ shownAs: 'job', reads: 'rejectedRows' }) })
      .meta({ internal: true }),
  ])
  .meta({ id: 'FileSource', description: 'Where a file comes from' });

const columnMapping = z
  .object({
    column: z.string().min(1).max(200).meta({ description: "Header of the file's column" }),
    field: z
      .string()
      .refine(isProductField, {
        error: `Expected the name of a field: ${PRODUCT_FIELD_NAMES.join(', ')}`,
        abort: true,
      })
      .meta({ description: 'Name of our field, e.g. "title"' }),
  })
  .meta({ id: 'ColumnMapping', description: "Which of the file's columns holds which of ours" });

/** A file's rows become products and variants; the unit is the row. */
export const productImport = defineJob({
  kind: 'product_import',
  version: 1,
  queue: 'long_running',
  title: 'Import products',
  input: z.object({
    source: fileSource,
    format: z
      .enum(PRODUCT_FILE_FORMATS)
      .meta({
        id: 'ProductFileFormat',
        description: 'How the file is laid out',
        values: {
          auto: 'By what its header looks like',
          shopify_csv: "Shopify's product export",
          google_merchant_tsv: "Google Merchant's product feed",
          generic_csv: 'Columns named as our fields, or mapped to them',
        },
      })
      .default('auto'),
    mapping: z
      .array(columnMapping)
      .max(200)
      // What is wrong whatever the file holds is told before a job starts.
      .superRefine((mapping, ctx) => {
        for (const message of mappingProblems(mapping)) ctx.addIssue({ code: 'custom', message });
      })
      .nullish()
      .meta({ description: "Which of the file's columns holds which of ours; absent: by header names" }),
    dryRun: z.boolean().default(false).meta({ description: 'Check everything, write nothing' }),
  }),
  output: z.object({
    created: z.int().meta({ description: 'Rows that made a new variant' }),
    updated: z.int().meta({ description: 'Rows that changed a variant or its product' }),
    unchanged: z.int().meta({ description: 'Rows that were in the catalog already' }),
    rejected: z.int().meta({ description: 'Rows that were wrong; `items` tells why' }),
    productsCreated: z.int().meta({ description: 'New products' }),
    productsUpdated: z.int().meta({ description: 'Products that changed' }),
    variantsCreated: z.int().meta({ description: 'New variants' }),
    variantsUpdated: z.int().meta({ description: 'Variants that changed' }),
  }),
  retry: { maxAttempts: 5, backoff: { baseMs: 1_000, maxMs: 60_000 } },
  timeoutMs: 6 * 60 * 60_000,
  startable: 'api',
  retryFailedItems: (input, failedJobId) => ({ ...input, source: { rejectedRowsOf: failedJobId } }),
});
