import { z } from 'zod';
import { JOB_STATUSES } from '../domain/job-status.ts';
import { defineJob } from './define.ts';

/** A client's JobFilter as it is stored. */
export const storedFilter = z.object({
  /** As clients name them: `PRODUCT_IMPORT` */
  kinds: z.array(z.string()).optional(),
  statuses: z.array(z.enum(JOB_STATUSES)).optional(),
  queues: z.array(z.string()).optional(),
  triggeredBy: z.string().optional(),
  createdAfter: z.iso.datetime().optional(),
  createdBefore: z.iso.datetime().optional(),
  parentId: z.uuid().meta({ shownAs: 'job' }).optional(),
  search: z.string().optional(),
});
export type StoredFilter = z.infer<typeof storedFilter>;

/** Cancels or retries what matches a filter, of the jobs that were created before this one. */
export const bulkOperation = defineJob({
  kind: 'bulk_operation',
  version: 1,
  queue: 'default',
  title: 'Bulk operation',
  input: z.object({
    action: z.enum(['cancel', 'retry']),
    filter: storedFilter,
    expectedCount: z.int().min(0),
    reason: z.string().nullish(),
    /** As in `triggeredBy`: the cancelled jobs tell it */
    requestedBy: z.string(),
  }),
  output: z.object({
    matched: z.int().meta({ description: 'Jobs that it came to' }),
    done: z.int().meta({ description: 'Cancelled, or asked to end; retried' }),
    skipped: z.int().meta({
      description:
        'Settled before their turn came; where jobs are retried, the same work is under way already',
    }),
    failed: z.int().meta({ description: 'Could not be retried; `items` tells why' }),
  }),
  retry: { maxAttempts: 5, backoff: { baseMs: 1_000, maxMs: 60_000 } },
  timeoutMs: 6 * 60 * 60_000,
  startable: 'internal',
});

export type BulkInput = z.infer<(typeof bulkOperation)['input']>;
export type BulkAction = BulkInput['action'];
