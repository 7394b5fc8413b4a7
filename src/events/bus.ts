import { z } from 'zod';
import { PANEL_KEYS } from '../domain/panel.ts';

/**
 * Hints that something was written; the truth is in Postgres. A message may be lost, doubled or late, and a payload
 * too large for the broker arrives without its `event`: a listener that sees a hole reads the log.
 */
export const TOPICS = {
  /** Key: job uuid. One numbered event of a job's log; `event` is absent when it was too large to travel */
  jobEvent: z.object({
    organizationId: z.uuid(),
    seq: z.int().positive(),
    event: z
      .object({
        at: z.iso.datetime(),
        type: z.enum(['status', 'progress', 'log', 'warning']),
        attempt: z.int(),
        status: z.enum(['pending', 'running', 'completed', 'completed_with_warnings', 'failed', 'cancelled']),
        progressPercent: z.int().nullable(),
        message: z.string().nullable(),
        level: z.enum(['debug', 'info', 'warn', 'error']).nullable(),
        errorCode: z.string().nullable(),
      })
      .optional(),
  }),
  /** Key: job uuid. Somebody asked for this job to be cancelled: the worker that runs it looks at the row */
  jobCancel: z.object({ delivery: z.int() }),
  /** Key: organization uuid. A job of the organization started or changed. Every jobEvent is heard as one of these too */
  jobChange: z.object({ jobId: z.uuid() }),
  /** Key: uuid of the user, or of the organization for its own copy. There is something new to read */
  notification: z.object({ organizationId: z.uuid(), notificationId: z.uuid() }),
  /** Key: organization uuid. A panel's figures, or how its sources stand, are others than before */
  panelChange: z.object({ panel: z.enum(PANEL_KEYS) }),
} as const;

export type Topic = keyof typeof TOPICS;
export type TopicMessage<T extends Topic> = z.infer<(typeof TOPICS)[T]>;

/** What a listener gets: a message, or word that messages may have been lost and the truth must be read again. */
export type BusDelivery<T extends Topic> =
  | { readonly type: 'message'; readonly key: string; readonly message: TopicMessage<T> }
  | { readonly type: 'gap' };

export type BusListener<T extends Topic> = (delivery: BusDelivery<T>) => void;

/** Key that matches every key of a topic. */
export const EVERY_KEY = '*';

/**
 * One broker subscription per process behind it, dispatched in memory. Listeners are called synchronously and must
 * not throw; a listener that throws is logged and the others go on.
 */
export interface EventBus {
  /** Hands a message to the broker soon, in order per process; never throws and never waits: a hint may be lost. */
  publish<T extends Topic>(topic: T, key: string, message: TopicMessage<T>): void;
  /** Listens from now on, to one key or to EVERY_KEY. @returns how to stop, safe to call twice */
  on<T extends Topic>(topic: T, key: string, listener: BusListener<T>): () => void;
  /** Resolves when what this process published so far has been handed to the broker, or could not be. */
  flush(): Promise<void>;
  /** False while the link to the broker is down; listeners got a gap then and get another when it is back. */
  readonly connected: boolean;
  close(): Promise<void>;
}
