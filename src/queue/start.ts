import { UserFacingError } from '../domain/errors.ts';
import { toPublicId } from '../domain/ids.ts';
import type { Sql, Tx } from '../repositories/db.ts';
import { pointKeyAt, takeKey } from '../repositories/idempotency-keys.ts';
import { insertJobs, type InsertedJob, type NewJob } from '../repositories/job-inserts.ts';
import { findFreshResult, findLiveByUniqueKey } from '../repositories/jobs.ts';
import { announce } from './announce.ts';
import { START_WINDOW, type JobDeps } from './deps.ts';
import { deliverSoon } from './deliver.ts';
import { checkReferences, checkReferencesBesideUploads } from './input-references.ts';
import { checkStart, type CheckedStart, type StartRequest } from './new-job.ts';

export type { StartOptions, StartRequest } from './new-job.ts';

export interface StartedJob {
  readonly jobId: string;
  /** Why an earlier job came back instead of a new one; null for a new one */
  readonly replayReason: null | 'IDEMPOTENCY_KEY' | 'UNIQUE' | 'CACHED';
  readonly message: string | null;
  /** The new job as it was written; null for an earlier one */
  readonly written: { readonly job: NewJob; readonly inserted: InsertedJob } | null;
}

/** A job that the caller's own transaction wrote. */
export interface WrittenStart extends StartedJob {
  /** Call it once the transaction has committed: announces the job and hands it to the broker. Never throws. */
  readonly afterCommit: () => Promise<void>;
}

/** The winner of a unique key may settle just as we look for it. */
const UNIQUE_TRIES = 3;

/**
 * Writes a pending job and hands it to the broker when it can be done quickly; the dispatcher does it otherwise.
 * @throws UserFacingError for all that the caller can mend; nothing is written then
 */
export async function startJob(deps: JobDeps, request: StartRequest): Promise<StartedJob> {
  const checked = checkStart(deps.catalogue, request);
  await checkReferencesBesideUploads(deps.db, inputOf(checked));
  const written = isPlain(checked)
    ? await insertOrFindLive(deps.db, checked, deps.insert)
    : await deps.db.transaction((tx) => write(tx, checked));
  if (!('inserted' in written)) return written;
  await publish(deps, checked.job, written.inserted);
  return fresh(checked.job, written.inserted);
}

/**
 * As `startJob`, within a transaction of the caller's: the job exists if and only if the caller's rows do. A job that
 * is never announced is found by the dispatcher all the same.
 */
export async function startJobIn(tx: Tx, deps: JobDeps, request: StartRequest): Promise<WrittenStart> {
  const checked = checkStart(deps.catalogue, request);
  await checkReferencesBesideUploads(tx, inputOf(checked));
  const written = await write(tx, checked);
  if (!('inserted' in written)) return { ...written, afterCommit: () => Promise.resolve() };
  return {
    ...fresh(checked.job, written.inserted),
    afterCommit: () => publish(deps, checked.job, written.inserted),
  };
}

/** One statement writes it: there is nothing else to be decided with it. */
function isPlain({ job, maxAgeSeconds }: CheckedStart): boolean {
  return job.idempotencyKey === null && maxAgeSeconds === null;
}

const inputOf = ({ contract, job: { organizationId, input } }: CheckedStart) => ({
  organizationId,
  schema: contract.input,
  input,
});

const fresh = (job: NewJob, inserted: InsertedJob): StartedJob => ({
  jobId: job.id,
  replayReason: null,
  message: null,
  written: { job, inserted },
});

const earlier = (
  jobId: string,
  replayReason: NonNullable<StartedJob['replayReason']>,
  message: string,
): StartedJob => ({ jobId, replayReason, message, written: null });

async function publish(deps: JobDeps, job: NewJob, { news, issued }: InsertedJob): Promise<void> {
  announce(deps.bus, news);
  deps.onStarted?.(job.kind);
  if (issued) await deliverSoon(deps, job.queue, issued);
}

type Written = { readonly inserted: InsertedJob } | StartedJob;

async function write(tx: Tx, checked: CheckedStart): Promise<Written> {
  const { job, maxAgeSeconds } = checked;
  const { organizationId, idempotencyKey: key } = job;
  if (key !== null) {
    const holder = await takeKey(tx, organizationId, key, { jobId: job.id, inputHash: job.inputHash });
    if (holder) return replayOfKey(holder.jobId, holder.inputHash.equals(job.inputHash));
  }
  const replay = (found: StartedJob): Promise<StartedJob> => pointAt(tx, organizationId, key, found);

  if (maxAgeSeconds !== null) {
    const jobId = await findFreshResult(tx, organizationId, job.kind, job.inputHash, maxAgeSeconds);
    if (jobId) return replay(earlier(jobId, 'CACHED', 'A finished result is fresh enough.'));
  }
  const insert = async (): Promise<InsertedJob | null> =>
    (await insertJobs(tx, [job], START_WINDOW))[0] ?? null;
  const found = await insertOrFindLive(tx, checked, insert);
  return 'inserted' in found ? found : replay(found);
}

/**
 * @throws UserFacingError for an upload that does not exist or has gone, and CONFLICT when a live job holds the unique key
 * with other input
 */
async function insertOrFindLive(
  sql: Sql,
  checked: CheckedStart,
  insert: (job: NewJob) => Promise<InsertedJob | null>,
): Promise<Written> {
  const { contract, job } = checked;
  for (let tries = 0; tries < UNIQUE_TRIES; tries += 1) {
    const inserted = await insert(job);
    if (inserted) return { inserted };
    if (job.uploadIds.length > 0) await checkReferences(sql, inputOf(checked));
    const winner =
      job.uniqueKey && (await findLiveByUniqueKey(sql, job.organizationId, job.kind, job.uniqueKey));
    if (!winner) continue;
    if (winner.inputHash.equals(job.inputHash)) {
      return earlier(winner.id, 'UNIQUE', `"${contract.title}" is under way already.`);
    }
    const id = toPublicId('job', winner.id);
    throw UserFacingError.of(
      'CONFLICT',
      ['input'],
      `"${contract.title}" is under way with other input, as job ${id}.`,
    );
  }
  throw UserFacingError.of(
    'CONFLICT',
    ['input'],
    `"${contract.title}" starts and ends too quickly just now. Try again.`,
  );
}

function replayOfKey(jobId: string, sameInput: boolean): StartedJob {
  if (sameInput) return earlier(jobId, 'IDEMPOTENCY_KEY', 'This idempotency key started this job before.');
  throw UserFacingError.of(
    'IDEMPOTENCY_CONFLICT',
    ['options', 'idempotencyKey'],
    'This idempotency key was used with other input within the last 24 hours.',
  );
}

async function pointAt(
  tx: Tx,
  organizationId: string,
  key: string | null,
  found: StartedJob,
): Promise<StartedJob> {
  if (key !== null) await pointKeyAt(tx, organizationId, key, found.jobId);
  return found;
}
