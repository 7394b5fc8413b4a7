import { z } from 'zod';
import { UserFacingError } from '../domain/errors.ts';
import { newUuid, toPublicId } from '../domain/ids.ts';
import { JOB_PRIORITIES, type JobPriority } from '../domain/job.ts';
import type { JobContract } from '../jobs/define.ts';
import { canonicalHash, stringsIn, withoutNul } from '../lib/canonical-json.ts';
import { pointKeyAt, takeKey } from '../repositories/idempotency-keys.ts';
import type { Tx } from '../repositories/db.ts';
import type { JobNews } from '../repositories/job-events.ts';
import { findFreshResult, findLiveByUniqueKey, insertJob, type NewJob } from '../repositories/jobs.ts';
import { announce } from './announce.ts';
import type { JobDeps } from './deps.ts';
import { deliverSoon } from './deliver.ts';
import { checkReferences } from './input-references.ts';

const startOptions = z.object({
  idempotencyKey: z.string().min(1).max(255).nullish(),
  priority: z
    .custom<JobPriority>((value) => typeof value === 'string' && value in JOB_PRIORITIES)
    .default('NORMAL'),
  runAt: z.date().nullish(),
  maxAgeSeconds: z
    .int()
    .min(0)
    .max(366 * 86_400)
    .nullish(),
});
export type StartOptions = z.input<typeof startOptions>;
type ParsedOptions = z.output<typeof startOptions>;

export interface StartRequest {
  readonly organizationId: string;
  readonly kind: string;
  readonly input: unknown;
  /** "manual:<user>", "api:<key name>", "schedule:<name>" or "job:<id>" */
  readonly triggeredBy: string;
  readonly options?: StartOptions | undefined;
  readonly parentId?: string;
}

export interface StartedJob {
  readonly jobId: string;
  /** Why an earlier job came back instead of a new one; null for a new one */
  readonly replayReason: null | 'IDEMPOTENCY_KEY' | 'UNIQUE' | 'CACHED';
  readonly message: string | null;
}

/** The winner of a unique key may settle just as we look for it. */
const UNIQUE_TRIES = 3;

/**
 * Writes a pending job and hands it to the broker when it can be done quickly; the dispatcher does it otherwise.
 * @throws UserFacingError for all that the caller can mend; nothing is written then
 */
export async function startJob(deps: JobDeps, request: StartRequest): Promise<StartedJob> {
  const contract = deps.catalogue[request.kind];
  if (!contract) throw new Error(`unknown kind of job: ${request.kind}`);
  const input = parseOrThrow(contract.input, withoutNul(request.input), ['input']);
  const options = parseOrThrow(startOptions, request.options ?? {}, ['options']);
  if (options.maxAgeSeconds != null && !contract.cacheable) {
    throw UserFacingError.of(
      'INVALID',
      ['options', 'maxAgeSeconds'],
      `The result of "${contract.title}" cannot be reused.`,
    );
  }
  await checkReferences(deps.db, request.organizationId, contract.input, input);

  const job = newJob(contract, request, input, options);
  const written = await deps.db.transaction((tx) => write(tx, contract, job, options));
  if ('news' in written) {
    announce(deps.bus, written.news);
    await deliverSoon(deps, job.queue, job.id);
    return { jobId: job.id, replayReason: null, message: null };
  }
  return written;
}

function newJob(
  contract: JobContract,
  request: StartRequest,
  input: Record<string, unknown>,
  options: ParsedOptions,
): NewJob {
  const inputHash = canonicalHash(contract.kind, input);
  const uniqueKey = contract.uniqueKey?.(input) ?? (contract.cacheable ? inputHash.toString('hex') : null);
  return {
    id: newUuid(),
    organizationId: request.organizationId,
    kind: contract.kind,
    version: contract.version,
    queue: contract.queue,
    priority: options.priority,
    input,
    inputHash,
    triggeredBy: request.triggeredBy,
    runAt: options.runAt ?? null,
    maxAttempts: contract.retry.maxAttempts,
    idempotencyKey: options.idempotencyKey ?? null,
    uniqueKey,
    parentId: request.parentId ?? null,
    internal: contract.queue === 'internal',
    searchText: stringsIn(input).join(' ').slice(0, 2_000).toLowerCase(),
  };
}

type Written = { readonly news: JobNews } | StartedJob;

async function write(tx: Tx, contract: JobContract, job: NewJob, options: ParsedOptions): Promise<Written> {
  const { organizationId, idempotencyKey: key } = job;
  if (key !== null) {
    const holder = await takeKey(tx, organizationId, key, { jobId: job.id, inputHash: job.inputHash });
    if (holder) return replayOfKey(holder.jobId, holder.inputHash.equals(job.inputHash));
  }
  const replay = (found: StartedJob): Promise<StartedJob> => pointAt(tx, organizationId, key, found);

  if (options.maxAgeSeconds != null) {
    const jobId = await findFreshResult(tx, organizationId, job.kind, job.inputHash, options.maxAgeSeconds);
    if (jobId)
      return replay({ jobId, replayReason: 'CACHED', message: 'A finished result is fresh enough.' });
  }
  for (let tries = 0; tries < UNIQUE_TRIES; tries += 1) {
    const news = await insertJob(tx, job);
    if (news) return { news };
    const winner = job.uniqueKey && (await findLiveByUniqueKey(tx, organizationId, job.kind, job.uniqueKey));
    if (!winner) continue;
    if (winner.inputHash.equals(job.inputHash)) {
      return replay({
        jobId: winner.id,
        replayReason: 'UNIQUE',
        message: `"${contract.title}" is under way already.`,
      });
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

function parseOrThrow<S extends z.ZodType>(schema: S, value: unknown, field: readonly string[]): z.output<S> {
  const parsed = schema.safeParse(value);
  if (parsed.success) return parsed.data;
  throw new UserFacingError(
    parsed.error.issues.map((issue) => ({
      code: 'INVALID',
      field: [...field, ...issue.path.map(String)],
      message: issue.message,
    })),
  );
}
