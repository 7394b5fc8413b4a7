import { UserFacingError } from '../domain/errors.ts';
import { toPublicId } from '../domain/ids.ts';
import type { JobContract } from '../jobs/define.ts';
import type { Tx } from '../repositories/db.ts';
import { pointKeyAt, takeKey } from '../repositories/idempotency-keys.ts';
import type { JobNews } from '../repositories/job-events.ts';
import { findFreshResult, findLiveByUniqueKey, insertJob, type NewJob } from '../repositories/jobs.ts';
import { announce } from './announce.ts';
import type { JobDeps } from './deps.ts';
import { deliverSoon } from './deliver.ts';
import { checkReferences } from './input-references.ts';
import { checkStart, type CheckedStart, type StartRequest } from './new-job.ts';

export type { StartOptions, StartRequest } from './new-job.ts';

export interface StartedJob {
  readonly jobId: string;
  /** Why an earlier job came back instead of a new one; null for a new one */
  readonly replayReason: null | 'IDEMPOTENCY_KEY' | 'UNIQUE' | 'CACHED';
  readonly message: string | null;
}

/** A job that the caller's own transaction wrote. */
export interface WrittenStart extends StartedJob {
  /** What is to be announced, for who starts many and leaves their delivery to the dispatcher; null for an earlier job */
  readonly news: JobNews | null;
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
  await checkReferences(deps.db, request.organizationId, checked.contract.input, checked.job.input);
  const written = await deps.db.transaction((tx) => write(tx, checked));
  if (!('news' in written)) return written;
  await publish(deps, checked.job, written.news);
  return fresh(checked.job);
}

/**
 * As `startJob`, within a transaction of the caller's: the job exists if and only if the caller's rows do. A job that
 * is never announced is found by the dispatcher all the same.
 */
export async function startJobIn(tx: Tx, deps: JobDeps, request: StartRequest): Promise<WrittenStart> {
  const checked = checkStart(deps.catalogue, request);
  await checkReferences(tx, request.organizationId, checked.contract.input, checked.job.input);
  const written = await write(tx, checked);
  if (!('news' in written)) return { ...written, news: null, afterCommit: () => Promise.resolve() };
  const { news } = written;
  return { ...fresh(checked.job), news, afterCommit: () => publish(deps, checked.job, news) };
}

const fresh = (job: NewJob): StartedJob => ({ jobId: job.id, replayReason: null, message: null });

async function publish(deps: JobDeps, job: NewJob, news: JobNews): Promise<void> {
  announce(deps.bus, news);
  await deliverSoon(deps, job.queue, job.id);
}

type Written = { readonly news: JobNews } | StartedJob;

async function write(tx: Tx, { contract, job, maxAgeSeconds }: CheckedStart): Promise<Written> {
  const { organizationId, idempotencyKey: key } = job;
  if (key !== null) {
    const holder = await takeKey(tx, organizationId, key, { jobId: job.id, inputHash: job.inputHash });
    if (holder) return replayOfKey(holder.jobId, holder.inputHash.equals(job.inputHash));
  }
  const replay = (found: StartedJob): Promise<StartedJob> => pointAt(tx, organizationId, key, found);

  if (maxAgeSeconds !== null) {
    const jobId = await findFreshResult(tx, organizationId, job.kind, job.inputHash, maxAgeSeconds);
    if (jobId)
      return replay({ jobId, replayReason: 'CACHED', message: 'A finished result is fresh enough.' });
  }
  const found = await insertOrFindLive(tx, contract, job);
  return 'news' in found ? found : replay(found);
}

/** @throws UserFacingError CONFLICT when a live job holds the unique key with other input */
async function insertOrFindLive(tx: Tx, contract: JobContract, job: NewJob): Promise<Written> {
  for (let tries = 0; tries < UNIQUE_TRIES; tries += 1) {
    const news = await insertJob(tx, job);
    if (news) return { news };
    const winner =
      job.uniqueKey && (await findLiveByUniqueKey(tx, job.organizationId, job.kind, job.uniqueKey));
    if (!winner) continue;
    if (winner.inputHash.equals(job.inputHash)) {
      return {
        jobId: winner.id,
        replayReason: 'UNIQUE',
        message: `"${contract.title}" is under way already.`,
      };
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
  if (sameInput)
    return {
      jobId,
      replayReason: 'IDEMPOTENCY_KEY',
      message: 'This idempotency key started this job before.',
    };
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
