import { z } from 'zod';
import { UserFacingError } from '../domain/errors.ts';
import { newUuid } from '../domain/ids.ts';
import { JOB_PRIORITIES, type JobPriority } from '../domain/job.ts';
import type { JobCatalogue, JobContract } from '../jobs/define.ts';
import { canonicalHash, stringsIn, withoutNul } from '../lib/canonical-json.ts';
import type { NewJob } from '../repositories/job-inserts.ts';
import { uploadsIn } from './input-references.ts';

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

export interface StartRequest {
  readonly organizationId: string;
  readonly kind: string;
  readonly input: unknown;
  /** "manual:<user>", "api:<key name>", "schedule:<name>" or "job:<id>" */
  readonly triggeredBy: string;
  readonly options?: StartOptions | undefined;
  readonly parentId?: string;
  /** The schedule that asks for it, and the due time that the job stands for; null by hand */
  readonly schedule?: { readonly id: string; readonly dueAt: Date | null };
}

/** A request that was checked against its contract, as the row it would be. */
export interface CheckedStart {
  readonly contract: JobContract;
  readonly job: NewJob;
  /** Return a finished result not older than this instead; null: always run */
  readonly maxAgeSeconds: number | null;
}

/** @throws UserFacingError that names every argument which is wrong */
export function checkStart(catalogue: JobCatalogue, request: StartRequest): CheckedStart {
  const contract = catalogue[request.kind];
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
  return {
    contract,
    job: newJob(contract, request, input, options),
    maxAgeSeconds: options.maxAgeSeconds ?? null,
  };
}

function newJob(
  contract: JobContract,
  request: StartRequest,
  input: Record<string, unknown>,
  options: z.output<typeof startOptions>,
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
    scheduleId: request.schedule?.id ?? null,
    scheduledFor: request.schedule?.dueAt ?? null,
    internal: contract.queue === 'internal',
    searchText: stringsIn(input).join(' ').slice(0, 2_000).toLowerCase(),
    uploadIds: uploadsIn(contract.input, input),
  };
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
