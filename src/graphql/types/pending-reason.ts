import { pendingReasons, type PendingReason as Reason } from '../../queue/pending-reason.ts';
import { defineBatch } from '../batch.ts';
import { builder } from '../builder.ts';

const PendingReasonCode = builder.enumType('PendingReasonCode', {
  description: 'What a pending job waits for; more codes may come.',
  values: {
    WAITING_FOR_WORKER: { value: 'WAITING_FOR_WORKER', description: 'It is next when a worker is free' },
    QUEUE_PAUSED: { value: 'QUEUE_PAUSED', description: 'Its queue is paused or being drained' },
    NO_CAPABLE_WORKER: {
      value: 'NO_CAPABLE_WORKER',
      description: 'No live worker knows its kind in its version',
    },
    ORGANIZATION_LIMIT: {
      value: 'ORGANIZATION_LIMIT',
      description: 'Other jobs of the organization are ahead of it',
    },
    RATE_LIMITED: { value: 'RATE_LIMITED', description: 'A provider or limit asked for a pause' },
    SCHEDULED: { value: 'SCHEDULED', description: 'It was started for later' },
    RETRYING: { value: 'RETRYING', description: 'An attempt failed and the next one is due later' },
    WAITING_FOR_CHILDREN: {
      value: 'WAITING_FOR_CHILDREN',
      description: 'Jobs that it started are not settled',
    },
  } as const,
});

export const PendingReason = builder.objectRef<Reason>('PendingReason').implement({
  description: 'Why a pending job is not running.',
  fields: (t) => ({
    code: t.expose('code', { type: PendingReasonCode, description: 'For programs' }),
    message: t.exposeString('message', { description: 'For people' }),
    until: t.expose('until', {
      type: 'DateTime',
      nullable: true,
      description: 'When it ends, where that is known',
    }),
  }),
});

/** The reasons of a list's jobs are found by one statement. */
export const loadPendingReason = defineBatch((ctx, _params: null, jobIds: readonly string[]) =>
  pendingReasons(ctx.db, jobIds),
);
