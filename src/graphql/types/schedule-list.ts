import { z } from 'zod';
import type { ScheduleState as State } from '../../domain/schedule.ts';
import type { Prisma } from '../../generated/prisma/client.ts';
import { needs } from '../authorization/rules.ts';
import { builder } from '../builder.ts';
import { storedNames } from '../../jobs/define.ts';
import { selectionOf } from '../selection.ts';
import { connectionType, pageArgs, readPage, toPage } from './connection.ts';
import { JobKind } from './job-enums.ts';
import { livingSchedules, Schedule, ScheduleState } from './schedule.ts';

const ScheduleConnection = connectionType<{ readonly id: string }>(
  'Schedule',
  (t) => t.field({ type: Schedule, description: 'The schedule', resolve: (edge) => edge.node }),
  {
    description: 'A page of schedules, in the order they were made.',
    totalCount: { nullable: false, description: 'All that match' },
  },
);

const ScheduleFilter = builder.inputType('ScheduleFilter', {
  description: 'All that are given must hold.',
  fields: (t) => ({
    kinds: t.field({ type: [JobKind], description: 'One of these; an empty list matches nothing' }),
    states: t.field({ type: [ScheduleState], description: 'One of these; an empty list matches nothing' }),
  }),
});

const IN_STATE: { readonly [S in State]: Prisma.ScheduleWhereInput } = {
  active: { nextDueAt: { not: null } },
  paused: { pausedAt: { not: null } },
  finished: { nextDueAt: null, pausedAt: null },
};

builder.queryField('schedules', (t) =>
  t.field({
    extensions: needs('read'),
    type: ScheduleConnection,
    description: "The organization's schedules, in the order they were made",
    args: { ...pageArgs, filter: t.arg({ type: ScheduleFilter, description: 'Only schedules that match' }) },
    async resolve(_root, args, ctx, info) {
      const request = readPage(ctx, args, 'schedules', z.uuid());
      const { kinds, states } = args.filter ?? {};
      const conditions: Prisma.ScheduleWhereInput = {
        ...livingSchedules(ctx),
        ...(kinds ? { kind: { in: storedNames(ctx.jobs.catalogue, kinds) } } : {}),
        ...(states ? { OR: states.map((state) => IN_STATE[state]) } : {}),
      };
      const rows = await ctx.prisma.schedule.findMany({
        ...selectionOf(ctx, info, 'Schedule', ['edges', 'node']),
        where: { AND: [conditions, request.after === null ? {} : { id: { gt: request.after } }] },
        orderBy: { id: 'asc' },
        take: request.first + 1,
      });
      // No more than an organization may have.
      const totalCount = () => ctx.prisma.schedule.count({ where: conditions });
      return toPage({ list: 'schedules', request, rows, keyOf: ({ id }) => id, totalCount });
    },
  }),
);
