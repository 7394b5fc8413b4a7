import { uuidOf } from '../../domain/ids.ts';
import type { JobStatus as Status } from '../../domain/job-status.ts';
import type { Prisma } from '../../generated/prisma/client.ts';
import { builder } from '../builder.ts';
import type { GraphQLContext } from '../context.ts';
import { storedNames } from '../job-kinds.ts';
import { searchCondition } from '../search.ts';
import { JobKind, JobStatus } from './job-enums.ts';
import { visibleJobs } from './job.ts';

export const JobFilter = builder.inputType('JobFilter', {
  description: 'All that are given must hold.',
  fields: (t) => ({
    kinds: t.field({ type: [JobKind], description: 'One of these; an empty list matches nothing' }),
    statuses: t.field({ type: [JobStatus], description: 'One of these; an empty list matches nothing' }),
    queues: t.stringList({ description: 'One of these; an empty list matches nothing' }),
    triggeredBy: t.string({ description: 'Exactly this, e.g. "schedule:nightly"' }),
    createdAfter: t.field({ type: 'DateTime', description: 'Later than this' }),
    createdBefore: t.field({ type: 'DateTime', description: 'Earlier than this' }),
    parentId: t.id({ description: 'Started by this job' }),
    search: t.string({
      description:
        'Part of the error message or of a string value of the input; 3 to 200 characters, either case',
    }),
  }),
});

export type JobFilterInput = typeof JobFilter.$inferInput;

/** Rows that match all of a filter but `statuses`: what a job's later changes do not take it out of. */
export function lastingConditions(ctx: GraphQLContext, filter: JobFilterInput): Prisma.JobWhereInput {
  const { kinds, queues, triggeredBy, createdAfter, createdBefore, parentId, search } = filter;
  return {
    ...visibleJobs(ctx),
    ...(kinds ? { kind: { in: storedNames(ctx.jobs.catalogue, kinds) } } : {}),
    ...(queues ? { queue: { in: queues } } : {}),
    ...(typeof triggeredBy === 'string' ? { triggeredBy } : {}),
    ...(createdAfter || createdBefore
      ? {
          createdAt: {
            ...(createdAfter ? { gt: createdAfter } : {}),
            ...(createdBefore ? { lt: createdBefore } : {}),
          },
        }
      : {}),
    ...(typeof parentId === 'string' ? parentCondition(parentId) : {}),
    ...(typeof search === 'string' ? { searchText: searchCondition(search, ['filter', 'search']) } : {}),
  };
}

/** Rows that match a filter now. */
export function jobConditions(ctx: GraphQLContext, filter: JobFilterInput): Prisma.JobWhereInput {
  return {
    ...lastingConditions(ctx, filter),
    ...(filter.statuses ? { status: { in: filter.statuses } } : {}),
  };
}

export function statusMatches(filter: JobFilterInput, status: Status): boolean {
  return filter.statuses?.includes(status) ?? true;
}

/** An id that names no job is nobody's parent. */
function parentCondition(parentId: string): Prisma.JobWhereInput {
  const id = uuidOf('job', parentId);
  return id === null ? { id: { in: [] } } : { parentId: id };
}
