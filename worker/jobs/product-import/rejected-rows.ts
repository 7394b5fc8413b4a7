import { Readable } from 'node:stream';
import { newUuid } from '../../../src/domain/ids.ts';
import { storageKey } from '../../../src/domain/storage-key.ts';
import { filesOfJob, type NewStoredFile } from '../../../src/repositories/files.ts';
import { readRejectedLines } from '../../../src/repositories/product-import-scratch.ts';
import { planRemoval } from '../../../src/repositories/storage-removals.ts';
import type { JobContext } from '../../context.ts';
import type { ImportPlan } from './commit.ts';
import type { ImportSource } from './source.ts';

const REJECTED_BYTES_MAX = 4 * 1024 ** 3;

/** Stores the file of rejected rows, chunk by chunk. @returns its row to be, or null when an earlier attempt made it */
export async function storeRejectedRows(
  ctx: JobContext,
  plan: ImportPlan,
  source: ImportSource,
): Promise<NewStoredFile | null> {
  const files = await filesOfJob(ctx.db, ctx.organization.id, ctx.jobId);
  if (files.some(({ role }) => role === 'rejected_rows')) return null;
  const id = newUuid();
  const key = storageKey(ctx.organization.id, 'rejected-rows', id);
  const lines = Readable.from(withHead(plan.rejectedFile.head, readRejectedLines(ctx.db, ctx.jobId)), {
    objectMode: false,
  });
  // An attempt that is lost before its file has a row leaves no bytes behind.
  await planRemoval(ctx.db, key);
  const stored = await ctx.storage.put(key, lines, { maxBytes: REJECTED_BYTES_MAX, signal: ctx.signal });
  return {
    id,
    organizationId: ctx.organization.id,
    jobId: ctx.jobId,
    role: 'rejected_rows',
    filename: rejectedName(source),
    contentType:
      plan.table.dialect.delimiter === '\t'
        ? 'text/tab-separated-values; charset=utf-8'
        : 'text/csv; charset=utf-8',
    byteSize: stored.byteSize,
    sha256: stored.sha256,
    storageKey: key,
  };
}

async function* withHead(head: string, lines: AsyncIterable<string>): AsyncGenerator<string> {
  yield head;
  yield* lines;
}

/** "spring.csv" → "spring-rejected.csv", however often */
function rejectedName({ filename }: ImportSource): string {
  const [, stem = filename, extension = '.csv'] =
    /^(.*?)(?:-rejected)?(\.[a-z0-9]{1,5})?$/is.exec(filename) ?? [];
  return `${stem || 'products'}-rejected${extension}`;
}
