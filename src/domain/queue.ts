import { QUEUE_NAMES, type QueueName } from './job.ts';

/** Queues that people see and steer; `internal` is the system's own. */
export type PublicQueueName = Exclude<QueueName, 'internal'>;
export const PUBLIC_QUEUE_NAMES: readonly PublicQueueName[] = QUEUE_NAMES.filter(
  (name) => name !== 'internal',
);

/** Most jobs that one worker process may run at once in a queue. */
export const QUEUE_CONCURRENCY_MAX = 500;

/**
 * `paused`: nothing starts; what was handed to the broker stays there, for a quick resume.
 * `draining`: nothing starts, and what was handed out is taken back; `drained` once nothing runs and nothing is out.
 * Neither ends a running job, and neither deletes anything.
 */
export type QueueState = 'active' | 'paused' | 'draining' | 'drained';
