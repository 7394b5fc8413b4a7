import type { GraphQLResolveInfo } from 'graphql';
import { isSettled, type JobStatus } from '../../domain/job-status.ts';
import type { OrganizationChange } from '../../events/organization-stream.ts';
import { readJobPage, matchJobs } from '../../repositories/job-page.ts';
import type { JobFilter as Filter } from '../../repositories/job-filter.ts';
import { needs } from '../authorization/rules.ts';
import { builder } from '../builder.ts';
import type { GraphQLContext } from '../context.ts';
import { problem } from '../errors.ts';
import { expand } from '../expand.ts';
import { selectionOf } from '../selection.ts';
import { filterOf, JobFilter } from './job-filter.ts';
import { Job, visibleJobs } from './job.ts';

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
    extensions: needs('read'),
    type: JobChange,
    description:
      'Jobs of the organization that start or change and match; a job is sent once more, with `matches` false, when it stops matching. Ends with RESYNC when too much was missed. After a reconnect, query again',
    args: { filter: t.arg({ type: JobFilter, description: 'Only jobs that match' }) },
    subscribe: (_root, args, ctx, info) => changesOf(ctx, filterOf(ctx, args.filter ?? {}), info),
    resolve: (change) => change,
  }),
);

function changesOf(
  ctx: GraphQLContext,
  filter: Filter,
  info: GraphQLResolveInfo,
): AsyncIterableIterator<Change> {
  const matching = new MatchingJobs(filter);
  return expand(
    ctx.streams.organizationChanges(ctx.principal.organization.id),
    async (change) => {
      const rows = await readChanged(ctx, info, filter, change);
      return rows.flatMap((job) => matching.judge(job));
    },
    () => matching.remember(ctx),
  );
}

/**
 * A batch is one statement for what matches, status apart, and one for what the query selects of it. Later changes take
 * no job out of a filter but by its status.
 */
async function readChanged(
  ctx: GraphQLContext,
  info: GraphQLResolveInfo,
  filter: Filter,
  change: OrganizationChange,
): Promise<readonly JobRow[]> {
  const { select } = selectionOf(ctx, info, 'Job', ['job']);
  const ids = await matchJobs(ctx.db, { ...filter, statuses: null }, change, RESENT_MAX + 1);
  if (ids.length > RESENT_MAX)
    throw problem('RESYNC', 'Too many jobs changed while the link was broken. Query again.');
  return ctx.prisma.job.findMany({
    select: { ...select, status: true },
    where: { ...visibleJobs(ctx), id: { in: ids } },
    orderBy: { id: 'asc' },
  });
}

/** Which live jobs match now: only these can stop matching, as a settled job keeps its status. */
class MatchingJobs {
  readonly #filter: Filter;
  readonly #canStop: boolean;
  readonly #ids = new Set<string>();
  /** More match than are remembered: then it is told of each job that does not match */
  #isPartial = false;

  constructor(filter: Filter) {
    this.#filter = filter;
    this.#canStop = filter.statuses?.some((status) => !isSettled(status)) ?? false;
  }

  /** What to tell of a job that changed: one change or none. */
  judge(job: JobRow): Change[] {
    const matches = this.#filter.statuses?.includes(job.status) ?? true;
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
    const filter = { ...this.#filter, statuses: live };
    const { ids, lookedBackTo } = await readJobPage(ctx.db, filter, {
      limit: REMEMBERED_MAX + 1,
      before: null,
    });
    for (const id of ids) this.#add(id);
    if (lookedBackTo !== null) this.#isPartial = true;
  }

  #add(id: string): void {
    if (this.#ids.size < REMEMBERED_MAX) this.#ids.add(id);
    else this.#isPartial = true;
  }
}
