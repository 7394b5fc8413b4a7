import { PUBLIC_QUEUE_NAMES, type QueueState as State } from '../../domain/queue.ts';
import { countQueues, type QueueCounts as Counts } from '../../repositories/queue-counts.ts';
import { readQueues, type QueueRow } from '../../repositories/queues.ts';
import { workersOfQueues } from '../../repositories/worker-list.ts';
import { defineBatch } from '../batch.ts';
import { needs } from '../authorization/rules.ts';
import { builder } from '../builder.ts';
import type { GraphQLContext } from '../context.ts';
import { TOTAL_COUNT_MAX } from '../limits.ts';
import { loadQueueStats, MetricsWindow, QueueMetrics } from './queue-metrics.ts';
import { Worker } from './worker.ts';

const QueueState = builder.enumType('QueueState', {
  description:
    'Whether a queue starts jobs. New jobs are taken in every state; where it starts none, they wait.',
  values: {
    ACTIVE: { value: 'active', description: 'Due jobs start as workers are free' },
    PAUSED: {
      value: 'paused',
      description:
        'Nothing new starts, what runs goes on; the next jobs stay with the broker for a quick resume',
    },
    DRAINING: {
      value: 'draining',
      description: 'As PAUSED, and the broker is emptied of the queue; some jobs still run',
    },
    DRAINED: {
      value: 'drained',
      description: 'Nothing of it runs and nothing is with the broker: workers and broker can be replaced',
    },
  } as const satisfies {
    readonly [S in State as Uppercase<S>]: { readonly value: S; readonly description: string };
  },
});

/** A count that stopped at one more than we tell is no count. */
/** Who steers the installation is told to those who may do it too. */
const forAdmins = <T>({ principal }: GraphQLContext, value: T): T | null =>
  principal.permissions.has('manage_queues') ? value : null;

const bounded = (count: number): number | null => (count > TOTAL_COUNT_MAX ? null : count);

const QueueCounts = builder.objectRef<Counts>('QueueCounts').implement({
  description: "The organization's jobs that are not settled. Exact up to 10,000 each and null beyond.",
  fields: (t) => ({
    pending: t.int({
      nullable: true,
      description: 'All that wait: `due`, `delayed` and `delivered`',
      resolve: ({ due, delayed, delivered }) => bounded(due + delayed + delivered),
    }),
    due: t.int({
      nullable: true,
      description: 'Could start, and others of the organization are ahead, or nothing starts',
      resolve: ({ due }) => bounded(due),
    }),
    delayed: t.int({
      nullable: true,
      description: 'Were started for later, or wait for their next attempt',
      resolve: ({ delayed }) => bounded(delayed),
    }),
    delivered: t.int({
      nullable: true,
      description: 'Next: the broker has them for the next free worker',
      resolve: ({ delivered }) => bounded(delivered),
    }),
    running: t.int({
      nullable: true,
      description: 'A worker is at them',
      resolve: ({ running }) => bounded(running),
    }),
  }),
});

const NONE: Counts = { due: 0, delayed: 0, delivered: 0, running: 0 };

const loadCounts = defineBatch((ctx, _params: null, queues: readonly string[]) =>
  countQueues(ctx.db, ctx.principal.organization.id, queues, TOTAL_COUNT_MAX + 1),
);

const loadWorkers = defineBatch((ctx, _params: null, queues: readonly string[]) =>
  workersOfQueues(ctx.db, queues),
);

const NO_STATS = {
  finished: 0,
  failed: 0,
  minutes: 1,
  wait: new Map<never, never>(),
  run: new Map<never, never>(),
};

export const Queue = builder.objectRef<QueueRow>('Queue').implement({
  description:
    'A line of jobs with workers of its own number. All organizations share it; counts and metrics are of one.',
  fields: (t) => ({
    name: t.exposeString('name', { description: 'default, long_running or scheduled' }),
    state: t.expose('state', { type: QueueState, description: 'Whether it starts jobs' }),
    pausedAt: t.expose('pausedAt', {
      type: 'DateTime',
      nullable: true,
      description: 'When it was paused or its drain began; null while ACTIVE',
    }),
    pauseReason: t.exposeString('pauseReason', { nullable: true, description: 'Why, for people' }),
    pausedBy: t.string({
      nullable: true,
      description: 'Who paused or drained it; null for anybody but an admin',
      resolve: ({ pausedBy }, _args, ctx) => forAdmins(ctx, pausedBy),
    }),
    concurrency: t.exposeInt('concurrency', {
      nullable: true,
      description: "Jobs that each worker process runs at once in it; null: the process' own default",
    }),
    changedAt: t.expose('changedAt', {
      type: 'DateTime',
      nullable: true,
      description: 'When somebody last paused, drained, resumed or resized it; null: nobody ever did',
    }),
    changedBy: t.string({
      nullable: true,
      description: 'Who did; null for anybody but an admin',
      resolve: ({ changedBy }, _args, ctx) => forAdmins(ctx, changedBy),
    }),
    counts: t.field({
      type: QueueCounts,
      description: "The organization's jobs in it that are not settled",
      resolve: async ({ name }, _args, ctx) => (await loadCounts(ctx, 'all', null, name)) ?? NONE,
    }),
    workers: t.field({
      type: [Worker],
      description: 'Live workers that serve it, the youngest first; at most 100',
      resolve: async ({ name }, _args, ctx) => (await loadWorkers(ctx, 'all', null, name)) ?? [],
    }),
    metrics: t.field({
      type: QueueMetrics,
      description: 'How much went through it, and how long it took',
      args: { window: t.arg({ type: MetricsWindow, defaultValue: 15, description: 'How far back' }) },
      resolve: async ({ name }, args, ctx) => {
        const minutes = args.window ?? 15;
        return (await loadQueueStats(ctx, minutes, minutes, name)) ?? NO_STATS;
      },
    }),
  }),
});

builder.queryField('queues', (t) =>
  t.field({
    extensions: needs('read'),
    type: [Queue],
    description: 'The queues that jobs run in, always the same',
    resolve: (_root, _args, ctx) => readQueues(ctx.db, PUBLIC_QUEUE_NAMES),
  }),
);
