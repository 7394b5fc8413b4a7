import type { Readable } from 'node:stream';
import { JobFailure } from '../../../src/domain/errors.ts';
import type { productImport } from '../../../src/jobs/product-import.ts';
import type { JobInput } from '../../../src/jobs/define.ts';
import { filesOfJob } from '../../../src/repositories/files.ts';
import { findUpload } from '../../../src/repositories/uploads.ts';
import { StorageMissingError } from '../../../src/storage/storage.ts';
import type { JobContext } from '../../context.ts';

export type ImportInput = JobInput<typeof productImport>;

/** The bytes to import. */
export interface ImportSource {
  readonly body: Readable;
  readonly byteSize: number;
  /** What people call it; the file of rejected rows is named after it */
  readonly filename: string;
  /** Rejected rows of an earlier job: they keep the numbers that they had in the first file */
  readonly isRest: boolean;
}

/** @throws JobFailure SOURCE_EXPIRED when the file is not stored any more */
export async function openSource(ctx: JobContext, source: ImportInput['source']): Promise<ImportSource> {
  const place = await findSource(ctx, source);
  if (!place) throw expired();
  try {
    const { body, byteSize } = await ctx.storage.get(place.storageKey, { signal: ctx.signal });
    return { body, byteSize, filename: place.filename, isRest: 'rejectedRowsOf' in source };
  } catch (error) {
    throw error instanceof StorageMissingError ? expired(error) : error;
  }
}

async function findSource(
  ctx: JobContext,
  source: ImportInput['source'],
): Promise<{ storageKey: string; filename: string } | null> {
  if ('uploadId' in source) {
    const upload = await findUpload(ctx.db, ctx.organization.id, source.uploadId);
    return upload?.receivedAt ? upload : null;
  }
  const files = await filesOfJob(ctx.db, ctx.organization.id, source.rejectedRowsOf);
  return files.find(({ role }) => role === 'rejected_rows') ?? null;
}

function expired(cause?: unknown): JobFailure {
  return JobFailure.permanent(
    'SOURCE_EXPIRED',
    'The file is not stored any more. Upload it again and start a new import.',
    cause,
  );
}
