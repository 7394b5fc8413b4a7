import { z } from 'zod';
import { toPublicId } from '../../domain/ids.ts';
import {
  countRunning,
  countWorkers,
  findWorker,
  readWorkers,
  type WorkerRow,
} from '../../repositories/worker-list.ts';
import { defineBatch } from '../batch.ts';
import { needs } from '../authorization/rules.ts';
import { builder } from '../builder.ts';
import { contractOf, publicKind } from '../job-kinds.ts';
import { TOTAL_COUNT_MAX } from '../limits.ts';
import { jobCatalogue, type JobKind as Kind } from '../../jobs/index.ts';
import { connectionType, pageArgs, readPage, toPage } from './connection.ts';
import { JobKind } from './job-enums.ts';
import { implementNode, Node } from './node.ts';

const WorkerState = builder.enumType('WorkerState', {
  description: 'Whether a worker process is there.',
  values: {
    ALIVE: { value: 'alive', description: 'Its heartbeat is fresh' },
    STOPPED: { value: 'stopped', description: 'It went by itself and gave its jobs back' },
    LOST: {
      value: 'lost',
      description: 'Its heartbeat stopped: its jobs are, or are being, taken over by others',
    },
  } as const,
});

interface KindVersion {
  readonly kind: Kind;
  readonly version: number;
}

const WorkerKind = builder.objectRef<KindVersion>('WorkerKind').implement({
  description: 'A kind of job that a worker can run.',
  fields: (t) => ({
    kind: t.field({ type: JobKind, description: 'The kind', resolve: ({ kind }) => kind }),
    version: t.exposeInt('version', { description: 'Newest version of its input that the worker knows' }),
  }),
});

/** A kind's older names and the system's own kinds are nobody's concern. */
function kindsOf({ kinds }: WorkerRow): KindVersion[] {
  return Object.entries(kinds)
    .filter(([kind]) => contractOf(jobCatalogue, kind)?.kind === kind)
    .map(([kind, version]) => ({ kind: publicKind(kind), version }))
    .sort((a, b) => a.kind.localeCompare(b.kind));
}

const loadRunning = defineBatch((ctx, _params: null, ids: readonly string[]) => countRunning(ctx.db, ids));

export const Worker = builder.objectRef<WorkerRow>('Worker').implement({
  description: 'A process that runs jobs, for all organizations of this installation.',
  interfaces: [Node],
  fields: (t) => ({
    id: t.id({ description: 'Starts with "wrk_"', resolve: ({ id }) => toPublicId('worker', id) }),
    name: t.exposeString('name', { description: 'Host and process id, as attempts name it' }),
    state: t.expose('state', { type: WorkerState, description: 'Whether it is there' }),
    alive: t.boolean({
      description: 'Its last heartbeat is younger than 15 seconds',
      resolve: ({ state }) => state === 'alive',
    }),
    startedAt: t.expose('startedAt', { type: 'DateTime', description: 'When it began to work' }),
    lastBeatAt: t.expose('beatAt', { type: 'DateTime', description: 'Its last heartbeat' }),
    stoppedAt: t.expose('stoppedAt', {
      type: 'DateTime',
      nullable: true,
      description: 'When it went or was found to be dead; null while it is there',
    }),
    queues: t.exposeStringList('queues', { description: 'Queues that it serves' }),
    kinds: t.field({
      type: [WorkerKind],
      description: 'What it can run, by name',
      resolve: (worker) => kindsOf(worker),
    }),
    runningCount: t.int({
      nullable: true,
      description: 'Jobs that it runs now, of all organizations; null for anybody but an admin',
      resolve: async (worker, _args, ctx) =>
        ctx.principal.permissions.has('manage_queues')
          ? ((await loadRunning(ctx, 'all', null, worker.id)) ?? 0)
          : null,
    }),
  }),
});

implementNode('worker', Worker, (id, ctx) => findWorker(ctx.db, id));

const WorkerConnection = connectionType<WorkerRow>(
  'Worker',
  (t) => t.field({ type: Worker, description: 'The worker', resolve: (edge) => edge.node }),
  {
    description: 'A page of worker processes, the youngest first.',
    totalCount: { nullable: true, description: 'Exact up to 10,000 and null beyond' },
  },
);

builder.queryField('workers', (t) =>
  t.field({
    extensions: needs('read'),
    type: WorkerConnection,
    description: 'Worker processes of this installation: those that live, and those that went within a day',
    args: {
      ...pageArgs,
      alive: t.arg.boolean({ description: 'Only those that live, or only those that do not' }),
    },
    async resolve(_root, args, ctx) {
      const request = readPage(ctx, args, 'workers', z.uuid());
      const alive = args.alive ?? null;
      const rows = await readWorkers(ctx.db, { first: request.first + 1, before: request.after, alive });
      const totalCount = async (): Promise<number | null> => {
        const count = await countWorkers(ctx.db, alive, TOTAL_COUNT_MAX + 1);
        return count > TOTAL_COUNT_MAX ? null : count;
      };
      return toPage({ list: 'workers', request, rows, keyOf: (worker) => worker.id, totalCount });
    },
  }),
);
