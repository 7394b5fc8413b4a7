import type { CallOptions, Execute } from './client.ts';
import { MillraceError, throwUserErrors } from './errors.ts';
import * as operations from './generated/graphql.ts';

export type Queue = operations.ListQueuesQuery['queues'][number];
export type QueueSettings = operations.QueueFieldsFragment;
export type WorkerPage = operations.ListWorkersQuery['workers'];

export interface Queues {
  /** With counts, live workers and figures of `window`; default: the last 15 minutes. */
  list(options?: CallOptions & { readonly window?: operations.MetricsWindow }): Promise<readonly Queue[]>;
  /** Worker processes, the youngest first: those that live and those that went within a day. */
  workers(variables?: operations.ListWorkersQueryVariables, options?: CallOptions): Promise<WorkerPage>;
  /** Starts nothing new, for all organizations; what runs goes on. For admins, as all that follow. */
  pause(name: string, options?: CallOptions & { readonly reason?: string }): Promise<QueueSettings>;
  /** As `pause`, and takes back what waits in the broker; the state becomes DRAINED when nothing runs any more. */
  drain(name: string, options?: CallOptions & { readonly reason?: string }): Promise<QueueSettings>;
  resume(name: string, options?: CallOptions): Promise<QueueSettings>;
  /** Jobs at once in each worker process; null: each process' own default. */
  setConcurrency(name: string, concurrency: number | null, options?: CallOptions): Promise<QueueSettings>;
}

export function createQueues(execute: Execute): Queues {
  return {
    list: async ({ window, ...options } = {}) =>
      (await execute(operations.ListQueuesDocument, { window: window ?? 'LAST_15_MINUTES' }, options)).queues,
    workers: async (variables = {}, options) =>
      (await execute(operations.ListWorkersDocument, variables, options)).workers,
    async pause(name, { reason, ...options } = {}) {
      const variables = { name, reason: reason ?? null };
      return changed((await execute(operations.PauseQueueDocument, variables, options)).pauseQueue);
    },
    async drain(name, { reason, ...options } = {}) {
      const variables = { name, reason: reason ?? null };
      return changed((await execute(operations.DrainQueueDocument, variables, options)).drainQueue);
    },
    resume: async (name, options) =>
      changed((await execute(operations.ResumeQueueDocument, { name }, options)).resumeQueue),
    setConcurrency: async (name, concurrency, options) =>
      changed(
        (await execute(operations.SetQueueConcurrencyDocument, { name, concurrency }, options))
          .setQueueConcurrency,
      ),
  };
}

function changed({ queue, userErrors }: operations.ChangedQueueFieldsFragment): QueueSettings {
  throwUserErrors({ userErrors });
  if (!queue) throw new MillraceError('The server changed no queue and gave no reason.');
  return queue;
}
