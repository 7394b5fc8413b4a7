import type { StreamOptions, SubscribeTyped } from './client.ts';
import { MillraceError, MillraceJobError } from './errors.ts';
import * as operations from './generated/graphql.ts';
import { resumed } from './resume.ts';

type Job = operations.JobFieldsFragment;
export type JobEvent = operations.JobEventsSubscription['jobEvents'];
export type JobChange = operations.JobsChangedSubscription['jobsChanged'];
/** Told apart by `__typename`: one member per kind of job. */
export type JobResult = operations.JobResultFieldsFragment;

/** That of one kind: `JobResultOf<'ProductImportResult'>` */
export type JobResultOf<Name extends JobResult['__typename']> = Extract<
  JobResult,
  { readonly __typename: Name }
>;

export interface WatchOptions extends StreamOptions {
  /** The last `seq` that the caller has; default 0: all events */
  readonly after?: number | undefined;
}

export interface JobStreams {
  /** Every event once and in order, over broken links and restarts of the server; ends when the job is settled. */
  watch(id: string, options?: WatchOptions): AsyncIterable<JobEvent>;
  /** The job now and whenever it changes, the latest wins; ends when it is settled. */
  progress(id: string, options?: StreamOptions): AsyncIterable<Job>;
  /**
   * Waits until the job is settled. @returns its result, warnings or not
   * @throws MillraceJobError when it failed or was cancelled
   */
  result(id: string, options?: StreamOptions): Promise<JobResult>;
  /** Jobs that start or change and match. Never resumed: after a broken link, list again. */
  changed(filter?: operations.JobFilter, options?: StreamOptions): AsyncIterable<JobChange>;
}

/** @param asksForToken whether each connection asks for a token, so that one that is over does not end a stream */
export function createJobStreams(subscribe: SubscribeTyped, asksForToken: boolean): JobStreams {
  async function* watch(
    id: string,
    { after = 0, ...options }: WatchOptions = {},
  ): AsyncGenerator<JobEvent, void> {
    let last = after;
    const open = () => subscribe(operations.JobEventsDocument, { id, after: last }, options);
    for await (const { jobEvents: event } of resumed(open, { signal: options.signal, asksForToken })) {
      last = event.seq;
      yield event;
    }
  }

  async function* progress(id: string, options: StreamOptions = {}): AsyncGenerator<Job, void> {
    const open = () => subscribe(operations.JobProgressDocument, { id }, options);
    for await (const { jobProgress } of resumed(open, { signal: options.signal, asksForToken }))
      yield jobProgress;
  }

  async function* changed(
    filter?: operations.JobFilter,
    options?: StreamOptions,
  ): AsyncGenerator<JobChange, void> {
    const variables = { filter: filter ?? null };
    for await (const { jobsChanged } of subscribe(operations.JobsChangedDocument, variables, options))
      yield jobsChanged;
  }

  return {
    watch,
    progress,
    changed,
    async result(id, options) {
      let last: Job | null = null;
      for await (const job of progress(id, options)) last = job;
      return resultOf(last);
    },
  };
}

function resultOf(job: Job | null): JobResult {
  if (!job) throw new MillraceError('The server ended the stream without the job.');
  if (job.status === 'FAILED' || job.status === 'CANCELLED') throw new MillraceJobError(job);
  if (!job.result) throw new MillraceError(`The server gave no result of the job ${job.id}.`);
  return job.result;
}
