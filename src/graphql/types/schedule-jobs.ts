import type { GraphQLResolveInfo } from 'graphql';
import { z } from 'zod';
import { countScheduleJobs, readScheduleJobIds } from '../../repositories/schedule-jobs.ts';
import { defineBatch } from '../batch.ts';
import { builder } from '../builder.ts';
import type { GraphQLContext } from '../context.ts';
import { TOTAL_COUNT_MAX } from '../limits.ts';
import { selectionOf } from '../selection.ts';
import { pageArgs, readPage, toPage, type Page } from './connection.ts';
import { bounded, JobConnection, loadJob, type JobRow } from './job-list.ts';
import { Job } from './job.ts';
import { Schedule } from './schedule.ts';

interface JobIdPage {
  readonly first: number;
  readonly before: string | null;
}

const loadJobIds = defineBatch((ctx, page: JobIdPage, scheduleIds: readonly string[]) =>
  readScheduleJobIds(ctx.db, scheduleIds, { ...page, organizationId: ctx.principal.organization.id }),
);

const loadJobCount = defineBatch((ctx, max: number, scheduleIds: readonly string[]) =>
  countScheduleJobs(ctx.db, scheduleIds, { organizationId: ctx.principal.organization.id, max }),
);

/** Jobs of one schedule, newest first; those of a page's schedules are read together. */
async function jobRows(
  ctx: GraphQLContext,
  info: GraphQLResolveInfo,
  scheduleId: string,
  page: JobIdPage & { readonly path: string[] },
): Promise<JobRow[]> {
  const { path, ...wanted } = page;
  const ids = (await loadJobIds(ctx, JSON.stringify(wanted), wanted, scheduleId)) ?? [];
  const selection = selectionOf(ctx, info, 'Job', path);
  const found = await Promise.all(ids.map((id) => loadJob(ctx, info.fieldNodes[0], selection, id)));
  return found.filter((row) => row !== undefined);
}

builder.prismaObjectField(Schedule, 'jobs', (t) =>
  t.field({
    type: JobConnection,
    description: 'Jobs that it started, by itself or by hand, newest first',
    args: pageArgs,
    select: { id: true },
    async resolve({ id }, args, ctx, info): Promise<Page<JobRow>> {
      const request = readPage(ctx, args, 'scheduleJobs', z.uuid());
      const page = { first: request.first + 1, before: request.after, path: ['edges', 'node'] };
      const rows = await jobRows(ctx, info, id, page);
      const isWhole = request.after === null && rows.length <= request.first;
      const count = async () => (await loadJobCount(ctx, 'count', TOTAL_COUNT_MAX + 1, id)) ?? 0;
      return toPage({
        list: 'scheduleJobs',
        request,
        rows,
        keyOf: (job) => job.id,
        totalCount: () => (isWhole ? rows.length : count().then(bounded)),
      });
    },
  }),
);

builder.prismaObjectField(Schedule, 'lastJob', (t) =>
  t.field({
    type: Job,
    nullable: true,
    description: 'The newest job that it started',
    select: { id: true },
    async resolve({ id }, _args, ctx, info) {
      return (await jobRows(ctx, info, id, { first: 1, before: null, path: [] }))[0] ?? null;
    },
  }),
);

builder.prismaObjectField(Job, 'scheduledFor', (t) =>
  t.expose('scheduledFor', {
    type: 'DateTime',
    nullable: true,
    description: 'The due time of its schedule that it stands for; null when no due time started it',
  }),
);
