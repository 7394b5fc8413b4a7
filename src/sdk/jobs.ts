import type { CallOptions, Execute, SubscribeTyped } from './client.ts';
import { MillraceError, throwUserErrors } from './errors.ts';
import * as operations from './generated/graphql.ts';
import { createJobStreams, type JobStreams } from './job-streams.ts';
import type { TypedOperation } from './transport.ts';

export type Job = operations.JobFieldsFragment;
export type JobPage = operations.ListJobsQuery['jobs'];
export type JobCounts = operations.JobCountsQuery['jobCounts'];
export type JobsPreview = operations.PreviewJobsQuery['previewJobs'];
export type JobItemPage = NonNullable<operations.JobItemsQuery['job']>['items'];

/** A started job, or an earlier one that stands for it. */
export interface StartedJob {
  readonly job: Job;
  readonly replayed: boolean;
  readonly replayReason: operations.ReplayReason | null;
  readonly message: string | null;
}

/** How a job is started; the rest is the call's own. */
export type StartOptions = Partial<operations.JobOptions> & CallOptions;

type Operations = typeof operations;
type StartVariables<Operation> =
  Operation extends TypedOperation<infer _, infer Variables>
    ? Variables extends { input: infer Input }
      ? Input
      : never
    : never;

/** One method per kind that clients may start: `productImport(input, options)`. */
export type StartMethods = {
  readonly [K in keyof Operations as K extends `Start${infer Kind}Document` ? Uncapitalize<Kind> : never]: (
    input: StartVariables<Operations[K]>,
    options?: StartOptions,
  ) => Promise<StartedJob>;
};

export interface Jobs extends JobStreams {
  readonly start: StartMethods;
  /** Null for what does not exist. */
  get(id: string, options?: CallOptions): Promise<Job | null>;
  list(variables?: operations.ListJobsQueryVariables, options?: CallOptions): Promise<JobPage>;
  /** Jobs per status; null for more than 10,000. */
  counts(filter?: operations.JobFilter, options?: CallOptions): Promise<JobCounts>;
  /** What `cancelMany` and `retryMany` would find. */
  preview(filter: operations.JobFilter, options?: CallOptions): Promise<JobsPreview>;
  /** A page of a job's ledger; null when there is no such job. */
  items(variables: operations.JobItemsQueryVariables, options?: CallOptions): Promise<JobItemPage | null>;
  /** @throws MillraceUserError, also for a job that is settled already */
  cancel(id: string, options?: CallOptions & { readonly reason?: string }): Promise<Job>;
  retry(id: string, options?: StartOptions): Promise<StartedJob>;
  retryFailedItems(id: string, options?: StartOptions): Promise<StartedJob>;
  /** @param expectedCount what `preview` told @returns the job that does it */
  cancelMany(
    filter: operations.JobFilter,
    expectedCount: number,
    options?: StartOptions & { readonly reason?: string },
  ): Promise<StartedJob>;
  retryMany(filter: operations.JobFilter, expectedCount: number, options?: StartOptions): Promise<StartedJob>;
}

export function createJobs(execute: Execute, subscribe: SubscribeTyped, asksForToken: boolean): Jobs {
  return {
    ...createJobStreams(subscribe, asksForToken),
    start: startMethods(execute),
    get: async (id, options) => (await execute(operations.GetJobDocument, { id }, options)).job,
    list: async (variables = {}, options) =>
      (await execute(operations.ListJobsDocument, variables, options)).jobs,
    counts: async (filter, options) =>
      (await execute(operations.JobCountsDocument, { filter: filter ?? null }, options)).jobCounts,
    preview: async (filter, options) =>
      (await execute(operations.PreviewJobsDocument, { filter }, options)).previewJobs,
    items: async (variables, options) =>
      (await execute(operations.JobItemsDocument, variables, options)).job?.items ?? null,
    async cancel(id, { reason, ...options } = {}) {
      const { cancelJob } = await execute(
        operations.CancelJobDocument,
        { id, reason: reason ?? null },
        options,
      );
      throwUserErrors(cancelJob);
      if (!cancelJob.job) throw new MillraceError('The server cancelled no job and gave no reason.');
      return cancelJob.job;
    },
    async retry(id, options = {}) {
      return started(
        (await execute(operations.RetryJobDocument, { id, options: jobOptions(options) }, options)).retryJob,
      );
    },
    async retryFailedItems(id, options = {}) {
      const variables = { id, options: jobOptions(options) };
      return started(
        (await execute(operations.RetryFailedItemsDocument, variables, options)).retryFailedItems,
      );
    },
    async cancelMany(filter, expectedCount, { reason, ...options } = {}) {
      const variables = { filter, expectedCount, reason: reason ?? null, options: jobOptions(options) };
      return started((await execute(operations.CancelJobsDocument, variables, options)).cancelJobs);
    },
    async retryMany(filter, expectedCount, options = {}) {
      const variables = { filter, expectedCount, options: jobOptions(options) };
      return started((await execute(operations.RetryJobsDocument, variables, options)).retryJobs);
    },
  };
}

type StartDocument = TypedOperation<Record<string, operations.StartedJobFieldsFragment>, object>;

function startMethods(execute: Execute): StartMethods {
  const methods = Object.entries(operations).flatMap(([name, document]) => {
    const kind = /^Start(.+)Document$/.exec(name)?.[1];
    if (!kind) return [];
    const operation: StartDocument = { toString: () => document.toString() };
    const method = async (input: unknown, options: StartOptions = {}): Promise<StartedJob> => {
      const answer = await execute(operation, { input, options: jobOptions(options) }, options);
      const payload = answer[`start${kind}`];
      if (!payload) throw new MillraceError('The server did not answer the start.');
      return started(payload);
    };
    return [[kind.charAt(0).toLowerCase() + kind.slice(1), method]];
  });
  // The type lists the same exports of the same module that the loop goes through.
  return Object.fromEntries(methods) as StartMethods;
}

function jobOptions({ idempotencyKey, priority, runAt, maxAgeSeconds }: StartOptions) {
  return {
    idempotencyKey: idempotencyKey ?? null,
    priority: priority ?? 'NORMAL',
    runAt: runAt ?? null,
    maxAgeSeconds: maxAgeSeconds ?? null,
  } as const;
}

/** @throws MillraceUserError for what must be mended before there can be a job */
export function started({ job, userErrors, ...rest }: operations.StartedJobFieldsFragment): StartedJob {
  throwUserErrors({ userErrors });
  if (!job) throw new MillraceError('The server started no job and gave no reason.');
  return { job, ...rest };
}
