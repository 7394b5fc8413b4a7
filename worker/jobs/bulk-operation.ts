import pg from 'pg';
import { z } from 'zod';
import { UserFacingError } from '../../src/domain/errors.ts';
import { toPublicId } from '../../src/domain/ids.ts';
import type { LedgerItem } from '../../src/domain/job.ts';
import type { bulkOperation, BulkInput } from '../../src/jobs/bulk-operation.ts';
import { bulkFilter, touchedBy } from '../../src/queue/bulk.ts';
import { tellCancelled } from '../../src/queue/cancel.ts';
import { retryJobIn } from '../../src/queue/retry.ts';
import type { WrittenStart } from '../../src/queue/start.ts';
import { requestCancels } from '../../src/repositories/job-cancel.ts';
import { readJobPage } from '../../src/repositories/job-page.ts';
import { findAllForRetry, type RetryableJob } from '../../src/repositories/jobs.ts';
import type { AttemptTx, Handler, JobContext } from '../context.ts';

/** Jobs per transaction: their rows are locked while it lasts. */
const BATCH = 200;
const DEADLOCKS_MAX = 3;
/** deadlock_detected, and lock_not_available by lock_timeout */
const LOCK_CODES: readonly (string | undefined)[] = ['40P01', '55P03'];

const cursor = z.object({
  /** Only older jobs are still to be looked at; null: none */
  before: z.uuid().nullable(),
  matched: z.int(),
  done: z.int(),
  skipped: z.int(),
  failed: z.int(),
});
type Cursor = z.infer<typeof cursor>;

/** What one batch came to; `tell` is called after its commit. */
interface Done {
  readonly done: number;
  readonly failed: readonly LedgerItem[];
  tell(): void;
}

/**
 * Goes through the jobs that match, the newest first, and only through those that are older than this very job. A batch,
 * its ledger and the cursor commit together: a later attempt goes on behind it and does no job twice.
 */
export const operateInBulk: Handler<typeof bulkOperation> = async (ctx, input) => {
  let at = (await ctx.resume(cursor)) ?? { before: ctx.jobId, matched: 0, done: 0, skipped: 0, failed: 0 };
  const filter = touchedBy(input.action, bulkFilter(ctx.jobs.catalogue, ctx.organization.id, input.filter));
  while (at.before !== null) {
    ctx.signal.throwIfAborted();
    const { ids, lookedBackTo } = await readJobPage(ctx.db, filter, { limit: BATCH, before: at.before });
    const before = ids.length === BATCH ? (ids.at(-1) ?? null) : lookedBackTo;
    at = await afterLocks(() => commitBatch(ctx, input, ids, { ...at, before }));
    ctx.progress(at.matched, Math.max(at.matched, input.expectedCount), `${at.matched} jobs`);
  }
  const { before: _, ...result } = at;
  await ctx.transaction((tx) => Promise.resolve(tx.count({ total: result.matched })));
  return result;
};

async function commitBatch(
  ctx: JobContext,
  input: BulkInput,
  ids: readonly string[],
  from: Cursor,
): Promise<Cursor> {
  const { next, tell } = await ctx.transaction(async (tx) => {
    const act = input.action === 'cancel' ? cancelAll : retryAll;
    const { done, failed, tell } = await act(ctx, tx, input, ids);
    const next = {
      before: from.before,
      matched: from.matched + ids.length,
      done: from.done + done,
      skipped: from.skipped + ids.length - done - failed.length,
      failed: from.failed + failed.length,
    };
    tx.items(failed);
    tx.count({ processed: ids.length, succeeded: ids.length - failed.length, failed: failed.length });
    tx.checkpoint(next);
    return { next, tell };
  });
  tell();
  return next;
}

async function cancelAll(
  ctx: JobContext,
  tx: AttemptTx,
  { reason, requestedBy }: BulkInput,
  jobIds: readonly string[],
): Promise<Done> {
  const organizationId = ctx.organization.id;
  const effects = await requestCancels(tx, {
    organizationId,
    jobIds,
    by: requestedBy,
    reason: reason ?? null,
  });
  const asked = new Set(jobIds);
  return {
    done: effects.filter(({ jobId }) => asked.has(jobId)).length,
    failed: [],
    tell: () => tellCancelled(ctx.jobs, effects),
  };
}

/** Writes a fresh job for each. */
async function retryAll(
  ctx: JobContext,
  tx: AttemptTx,
  _input: BulkInput,
  jobIds: readonly string[],
): Promise<Done> {
  const jobs = await findAllForRetry(tx, ctx.organization.id, jobIds);
  const started: WrittenStart[] = [];
  const failed: LedgerItem[] = [];
  // One after the other: each start's statements depend on one another, and a transaction has one connection.
  for (const job of jobs) {
    const one = await retryOne(ctx, tx, job);
    if ('code' in one) failed.push(one);
    else if (one.written) started.push(one);
  }
  const tell = (): void => started.forEach(({ afterCommit }) => void afterCommit());
  return { done: started.length, failed, tell };
}

async function retryOne(
  ctx: JobContext,
  tx: AttemptTx,
  job: RetryableJob,
): Promise<WrittenStart | LedgerItem> {
  try {
    return await retryJobIn(tx, ctx.jobs, job, {
      organizationId: ctx.organization.id,
      triggeredBy: `job:${toPublicId('job', ctx.jobId)}`,
    });
  } catch (error) {
    if (!(error instanceof UserFacingError)) throw error;
    const { code = 'INVALID', message = error.message } = error.errors[0] ?? {};
    return { key: toPublicId('job', job.id), code, message, outcome: 'failed' };
  }
}

/** Others lock the same jobs, one by one or in another order: who loses tries again. */
async function afterLocks<T>(run: () => Promise<T>): Promise<T> {
  for (let lost = 0; ; lost += 1) {
    try {
      return await run();
    } catch (error) {
      const isLock = error instanceof pg.DatabaseError && LOCK_CODES.includes(error.code);
      if (!isLock || lost >= DEADLOCKS_MAX) throw error;
    }
  }
}
