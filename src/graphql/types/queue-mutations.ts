import { UserFacingError, type UserError as UserErrorShape } from '../../domain/errors.ts';
import { PUBLIC_QUEUE_NAMES, QUEUE_CONCURRENCY_MAX, type PublicQueueName } from '../../domain/queue.ts';
import { withoutNul } from '../../lib/canonical-json.ts';
import { holdQueue, readQueues, releaseQueue, resizeQueue } from '../../repositories/queues.ts';
import { needs } from '../authorization/rules.ts';
import { builder } from '../builder.ts';
import type { GraphQLContext } from '../context.ts';
import { withUserErrors, type WithUserErrors } from '../errors.ts';
import { Queue } from './queue.ts';
import { UserError } from './user-error.ts';

const REASON_LENGTH_MAX = 500;

interface Changed extends WithUserErrors {
  readonly name: PublicQueueName | null;
}

const QueuePayload = builder.objectRef<Changed>('QueuePayload').implement({
  description: 'The queue as it is now, or what must be mended.',
  fields: (t) => ({
    queue: t.field({
      type: Queue,
      nullable: true,
      description: 'Null with `userErrors`',
      resolve: async ({ name }, _args, ctx) =>
        name === null ? null : ((await readQueues(ctx.db, [name]))[0] ?? null),
    }),
    userErrors: t.field({
      type: [UserError],
      description: 'What must be mended; empty when it worked',
      resolve: ({ userErrors }): UserErrorShape[] => [...userErrors],
    }),
  }),
});

/** Finds the queue and changes its row; what is wrong with the arguments is told and changes nothing. */
function change(given: string, write: (name: PublicQueueName) => Promise<void>): Promise<Changed> {
  return withUserErrors<{ name: PublicQueueName | null }>({ name: null }, async () => {
    const name = PUBLIC_QUEUE_NAMES.find((known) => known === given);
    if (!name) {
      const expected = PUBLIC_QUEUE_NAMES.join(', ');
      throw UserFacingError.of(
        'NOT_FOUND',
        ['name'],
        `There is no such queue. Expected one of: ${expected}.`,
      );
    }
    await write(name);
    return { name };
  });
}

/** @throws UserFacingError */
function reasonOf(reason: string | null | undefined): string | null {
  if (!reason) return null;
  if (reason.length > REASON_LENGTH_MAX) {
    const message = `Expected at most ${REASON_LENGTH_MAX} characters, got ${reason.length}.`;
    throw UserFacingError.of('INVALID', ['reason'], message);
  }
  return withoutNul(reason);
}

interface HoldArgs {
  readonly name: string;
  readonly reason?: string | null | undefined;
}

function hold(args: HoldArgs, { db, principal }: GraphQLContext, draining: boolean): Promise<Changed> {
  return change(args.name, (name) =>
    holdQueue(db, name, { draining, by: principal.triggeredBy, reason: reasonOf(args.reason) }),
  );
}

builder.mutationField('pauseQueue', (t) =>
  t.field({
    extensions: needs('manage_queues'),
    type: QueuePayload,
    description:
      'Starts nothing new of a queue, for all organizations, within about a second; what runs goes on and new jobs wait. Admins only',
    args: {
      name: t.arg.string({ required: true, description: 'Name of the queue' }),
      reason: t.arg.string({ description: 'Why, for people; at most 500 characters' }),
    },
    resolve: (_root, args, ctx) => hold(args, ctx, false),
  }),
);

builder.mutationField('drainQueue', (t) =>
  t.field({
    extensions: needs('manage_queues'),
    type: QueuePayload,
    description:
      'As `pauseQueue`, and what was handed to the broker is taken back; the state becomes DRAINED when the last running job has ended. Deletes nothing. Admins only',
    args: {
      name: t.arg.string({ required: true, description: 'Name of the queue' }),
      reason: t.arg.string({ description: 'Why, for people; at most 500 characters' }),
    },
    resolve: (_root, args, ctx) => hold(args, ctx, true),
  }),
);

builder.mutationField('resumeQueue', (t) =>
  t.field({
    extensions: needs('manage_queues'),
    type: QueuePayload,
    description:
      'Lets a queue go on that was paused or drained; one that is ACTIVE stays as it is. Admins only',
    args: { name: t.arg.string({ required: true, description: 'Name of the queue' }) },
    resolve: (_root, args, { db, principal }) =>
      change(args.name, (name) => releaseQueue(db, name, principal.triggeredBy)),
  }),
);

builder.mutationField('setQueueConcurrency', (t) =>
  t.field({
    extensions: needs('manage_queues'),
    type: QueuePayload,
    description:
      'How many jobs of a queue each worker process runs at once, for all organizations. Admins only',
    args: {
      name: t.arg.string({ required: true, description: 'Name of the queue' }),
      concurrency: t.arg.int({
        description: `1 to ${QUEUE_CONCURRENCY_MAX}; null: each process' own default`,
      }),
    },
    resolve: (_root, args, { db, principal }) =>
      change(args.name, async (name) => {
        const concurrency = args.concurrency ?? null;
        if (concurrency !== null && (concurrency < 1 || concurrency > QUEUE_CONCURRENCY_MAX)) {
          const message = `Expected 1 to ${QUEUE_CONCURRENCY_MAX}, or null for the default, got ${concurrency}.`;
          throw UserFacingError.of('INVALID', ['concurrency'], message);
        }
        await resizeQueue(db, name, concurrency, principal.triggeredBy);
      }),
  }),
);
