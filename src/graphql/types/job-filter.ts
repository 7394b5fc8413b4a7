import { uuidOf } from '../../domain/ids.ts';
import type { JobFilter as Filter } from '../../repositories/job-filter.ts';
import { builder } from '../builder.ts';
import type { GraphQLContext } from '../context.ts';
import { storedNames } from '../../jobs/define.ts';
import type { StoredFilter } from '../../jobs/bulk-operation.ts';
import { searchArgument, searchText } from '../search.ts';
import { JobKind, JobStatus } from './job-enums.ts';

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

/**
 * A client's filter, within what the caller may see.
 * @throws GraphQLError that names the argument
 */
export function filterOf(ctx: GraphQLContext, input: JobFilterInput): Filter {
  const { kinds, statuses, queues, triggeredBy, createdAfter, createdBefore, search } = input;
  const isNoJobs = matchesNothing(input);
  return {
    organizationId: ctx.principal.organization.id,
    kinds: isNoJobs ? [] : storedNames(ctx.jobs.catalogue, kinds ?? null),
    isEveryKind: !isNoJobs && !kinds,
    statuses: statuses ?? null,
    queues: queues ?? null,
    triggeredBy: isNoJobs ? null : (triggeredBy ?? null),
    createdAfter: createdAfter ?? null,
    createdBefore: createdBefore ?? null,
    parentId: parentOf(input),
    search: typeof search === 'string' ? searchArgument(search, ['filter', 'search']) : null,
  };
}

/**
 * The same as a bulk operation stores it: without what is not said.
 * @throws UserFacingError that names the argument
 */
export function storedFilterOf(input: JobFilterInput): StoredFilter {
  const { kinds, statuses, queues, triggeredBy, createdAfter, createdBefore, search } = input;
  const parentId = parentOf(input);
  return {
    ...(kinds ? { kinds: kinds.map((kind) => kind.toUpperCase()) } : {}),
    ...(statuses ? { statuses: [...statuses] } : {}),
    ...(queues ? { queues: [...queues] } : {}),
    ...(typeof triggeredBy === 'string' ? { triggeredBy } : {}),
    ...(createdAfter ? { createdAfter: createdAfter.toISOString() } : {}),
    ...(createdBefore ? { createdBefore: createdBefore.toISOString() } : {}),
    ...(parentId === null ? {} : { parentId }),
    ...(typeof search === 'string' ? { search: searchText(search, ['filter', 'search']) } : {}),
    ...(matchesNothing(input) ? { kinds: [] } : {}),
  };
}

function parentOf({ parentId }: JobFilterInput): string | null {
  return typeof parentId === 'string' ? uuidOf('job', parentId) : null;
}

/** An id that names no job is nobody's parent, and no stored text holds a NUL. */
function matchesNothing(input: JobFilterInput): boolean {
  const isNoParent = typeof input.parentId === 'string' && parentOf(input) === null;
  return isNoParent || (input.triggeredBy?.includes('\u0000') ?? false);
}
