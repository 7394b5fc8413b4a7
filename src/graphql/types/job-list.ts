import { z } from 'zod';
import type { GraphQLResolveInfo } from 'graphql';
import { Prisma } from '../../generated/prisma/client.ts';
import { countJobs } from '../../repositories/job-counts.ts';
import { countChildren, readChildIds } from '../../repositories/job-lists.ts';
import type { JobFilter as Filter } from '../../repositories/job-filter.ts';
import { endOf, readJobPage, readJobRowPage } from '../../repositories/job-page.ts';
import { readJobRows } from '../../repositories/job-rows.ts';
import { defineBatch } from '../batch.ts';
import { needs } from '../authorization/rules.ts';
import { builder } from '../builder.ts';
import type { GraphQLContext } from '../context.ts';
import { TOTAL_COUNT_MAX } from '../limits.ts';
import { onlyColumns, selectionOf } from '../selection.ts';
import { connectionType, pageArgs, readPage, toPage, type Page, type PageRequest } from './connection.ts';
import { filterOf, JobFilter } from './job-filter.ts';
import { Job, visibleJobs } from './job.ts';

export interface JobRow {
  readonly id: string;
}

export const JobConnection = connectionType<JobRow>(
  'Job',
  (t) => t.field({ type: Job, description: 'The job', resolve: (edge) => edge.node }),
  {
    description: 'A page of jobs, newest first.',
    totalCount: {
      nullable: true,
      description:
        'Exact up to 10,000 and null beyond; also null for a search too broad to be counted in good time',
    },
  },
);

/** A count that stopped at one more than we tell is no count. */
export const bounded = (count: number): number | null => (count > TOTAL_COUNT_MAX ? null : count);

type JobSelection = ReturnType<typeof selectionOf>;

/** What a query selects of jobs that were found by other means, by id. */
export async function loadJobs(
  ctx: GraphQLContext,
  selection: JobSelection,
  ids: readonly string[],
): Promise<ReadonlyMap<string, JobRow>> {
  const columns = onlyColumns(Prisma.JobScalarFieldEnum, selection);
  const rows = columns
    ? await readJobRows(ctx.db, filterOf(ctx, {}), ids, columns)
    : await ctx.prisma.job.findMany({
        ...selection,
        where: { ...visibleJobs(ctx), id: { in: [...ids] } },
      });
  return new Map(rows.map((row) => [row.id, row]));
}

interface LoadedPage {
  readonly rows: readonly JobRow[];
  readonly goesOnAt: string | null;
}

/** A page of the jobs that match a filter, with what a query selects of them. */
async function loadPage(
  ctx: GraphQLContext,
  filter: Filter,
  { first, after }: PageRequest<string>,
  selection: JobSelection,
): Promise<LoadedPage> {
  const request = { limit: first + 1, before: after };
  const columns = onlyColumns(Prisma.JobScalarFieldEnum, selection);
  if (columns) return readJobRowPage(ctx.db, filter, request, columns);
  const { ids, lookedBackTo } = await readJobPage(ctx.db, filter, request);
  const found = await loadJobs(ctx, selection, ids);
  return {
    rows: ids.map((id) => found.get(id)).filter((job) => job !== undefined),
    goesOnAt: endOf(ids, request) ?? lookedBackTo,
  };
}

builder.queryField('jobs', (t) =>
  t.field({
    extensions: needs('read'),
    type: JobConnection,
    description: "The organization's jobs, newest first",
    args: { ...pageArgs, filter: t.arg({ type: JobFilter, description: 'Only jobs that match' }) },
    async resolve(_root, args, ctx, info) {
      const request = readPage(ctx, args, 'jobs', z.uuid());
      const filter = filterOf(ctx, args.filter ?? {});
      const selection = selectionOf(ctx, info, 'Job', ['edges', 'node']);
      return toPage({
        ...(await loadPage(ctx, filter, request, selection)),
        list: 'jobs',
        request,
        keyOf: (job) => job.id,
        totalCount: () => countJobs(ctx.db, filter, TOTAL_COUNT_MAX),
      });
    },
  }),
);

interface ChildPage {
  readonly first: number;
  readonly before: string | null;
}

const loadChildIds = defineBatch((ctx, page: ChildPage, parentIds: readonly string[]) =>
  readChildIds(ctx.db, parentIds, { ...page, organizationId: ctx.principal.organization.id }),
);

const loadChildCount = defineBatch((ctx, max: number, parentIds: readonly string[]) =>
  countChildren(ctx.db, parentIds, { organizationId: ctx.principal.organization.id, max }),
);

/** Jobs with what a query selects of them, read together. */
export const loadJob = defineBatch(loadJobs);

async function childrenOf(
  parentId: string,
  args: { readonly first?: number | null | undefined; readonly after?: string | null | undefined },
  ctx: GraphQLContext,
  info: GraphQLResolveInfo,
): Promise<Page<JobRow>> {
  const request = readPage(ctx, args, 'children', z.uuid());
  const page = { first: request.first + 1, before: request.after };
  const ids = (await loadChildIds(ctx, JSON.stringify(page), page, parentId)) ?? [];
  const selection = selectionOf(ctx, info, 'Job', ['edges', 'node']);
  // One field of the document asks the same of each parent's children: they are read together.
  const found = await Promise.all(ids.map((id) => loadJob(ctx, info.fieldNodes[0], selection, id)));
  return toPage({
    list: 'children',
    request,
    rows: found.filter((row) => row !== undefined),
    keyOf: (job) => job.id,
    totalCount: async () => bounded((await loadChildCount(ctx, 'count', TOTAL_COUNT_MAX + 1, parentId)) ?? 0),
  });
}

builder.prismaObjectField(Job, 'children', (t) =>
  t.field({
    type: JobConnection,
    description: 'Jobs that this one started, newest first',
    args: pageArgs,
    select: { id: true },
    resolve: (job, args, ctx, info) => childrenOf(job.id, args, ctx, info),
  }),
);
