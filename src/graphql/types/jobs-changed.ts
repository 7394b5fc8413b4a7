import type { GraphQLResolveInfo } from 'graphql';
import { isSettled, type JobStatus } from '../../domain/job-status.ts';
import type { OrganizationChange } from '../../events/organization-stream.ts';
import type { Prisma } from '../../generated/prisma/client.ts';
import { builder } from '../builder.ts';
import type { GraphQLContext } from '../context.ts';
import { problem } from '../errors.ts';
import { expand } from '../expand.ts';
import { selectionOf } from '../selection.ts';
import {
  JobFilter,
  jobConditions,
  lastingConditions,
  statusMatches,
  type JobFilterInput,
} from './job-filter.ts';
import { Job } from './job.ts';

/** Jobs read again after a gap; more than these, and the client must query again. */
const RESENT_MAX = 1_000;
/** Live jobs whose match is remembered per stream. */
const REMEMBERED_MAX = 10_000;

interface JobRow {
  readonly id: string;
  readonly status: JobStatus;
}

interface Change {
  readonly job: JobRow;
  readonly matches: boolean;
}

const JobChange = builder.objectRef<Change>('JobChange').implement({
  description: 'A job that started or changed.',
  fields: (t) => ({
    job: t.field({ type: Job, description: 'As it is now', resolve: (change) => change.job }),
    matches: t.exposeBoolean('matches', { description: 'False once, when it stops matching the filter' }),
  }),
});

builder.subscriptionField('jobsChanged', (t) =>
  t.field({
    type: JobChange,
    description:
      'Jobs of the organization that start or change and match; a job is sent once more, with `matches` false, when it stops matching. Ends with RESYNC when too much was missed. After a reconnect, query again',
    args: { filter: t.arg({ type: JobFilter, description: 'Only jobs that match' }) },
    subscribe: (_root, args, ctx, info) => changesOf(ctx, args.filter ?? {}, info),
    resolve: (change) => change,
  }),
);

function changesOf(
  ctx: GraphQLContext,
  filter: JobFilterInput,
  info: GraphQLResolveInfo,
): AsyncIterableIterator<Change> {
  const conditions = lastingConditions(ctx, filter);
  const matching = new MatchingJobs(filter);
  return expand(
    ctx.streams.organizationChanges(ctx.principal.organization.id),
    async (change) => {
      const rows = await readChanged(ctx, info, conditions, change);
      return rows.flatMap((job) => matching.judge(job));
    },
    () => matching.remember(ctx),
  );
}

/** A batch is one statement, with all that the query selects of each job. */
async function readChanged(
  ctx: GraphQLContext,
  info: GraphQLResolveInfo,
  conditions: Prisma.JobWhereInput,
  change: OrganizationChange,
): Promise<readonly JobRow[]> {
  const { select } = selectionOf(ctx, info, 'Job', ['job']);
  const which =
    'jobIds' in change ? { id: { in: [...change.jobIds] } } : { statusChangedAt: { gte: change.since } };
  const rows = await ctx.prisma.job.findMany({
    select: { ...select, status: true },
    where: { AND: [conditions, which] },
    orderBy: { id: 'asc' },
    take: RESENT_MAX + 1,
  });
  if (rows.length > RESENT_MAX)
    throw problem('RESYNC', 'Too many jobs changed while the link was broken. Query again.');
  return rows;
}

/** Which live jobs match now: only these can stop matching, as a settled job keeps its status. */
class MatchingJobs {
  readonly #filter: JobFilterInput;
  readonly #canStop: boolean;
  readonly #ids = new Set<string>();
  /** More match than are remembered: then it is told of each job that does not match */
  #isPartial = false;

  constructor(filter: JobFilterInput) {
    this.#filter = filter;
    this.#canStop = filter.statuses?.some((status) => !isSettled(status)) ?? false;
  }

  /** What to tell of a job that changed: one change or none. */
  judge(job: JobRow): Change[] {
    const matches = statusMatches(this.#filter, job.status);
    if (matches) {
      if (this.#canStop && !isSettled(job.status)) this.#add(job.id);
      else this.#ids.delete(job.id);
      return [{ job, matches }];
    }
    const didMatch = this.#ids.delete(job.id);
    return didMatch || this.#isPartial ? [{ job, matches }] : [];
  }

  /** Reads what matches at the start: a client that queried before knows these already. */
  async remember(ctx: GraphQLContext): Promise<void> {
    if (!this.#canStop) return;
    const live = (this.#filter.statuses ?? []).filter((status) => !isSettled(status));
    const rows = await ctx.prisma.job.findMany({
      where: { ...jobConditions(ctx, this.#filter), status: { in: live } },
      select: { id: true },
      take: REMEMBERED_MAX + 1,
    });
    for (const { id } of rows) this.#add(id);
  }

  #add(id: string): void {
    if (this.#ids.size < REMEMBERED_MAX) this.#ids.add(id);
    else this.#isPartial = true;
  }
}
