import { UserFacingError } from '../../domain/errors.ts';
import type { BulkAction } from '../../jobs/bulk-operation.ts';
import { BULK_JOBS_MAX, bulkFilter, checkNotEmpty, startBulk, touchedBy } from '../../queue/bulk.ts';
import { countJobs, countJobsByStatus } from '../../repositories/job-counts.ts';
import type { JobFilter as Filter } from '../../repositories/job-filter.ts';
import { readJobPage } from '../../repositories/job-page.ts';
import { needs } from '../authorization/rules.ts';
import { builder } from '../builder.ts';
import type { GraphQLContext } from '../context.ts';
import { withInputProblems } from '../errors.ts';
import { TOTAL_COUNT_MAX } from '../limits.ts';
import { selectionOf } from '../selection.ts';
import { JobStatusCounts } from './job-counts.ts';
import { JobFilter, storedFilterOf, type JobFilterInput } from './job-filter.ts';
import { loadJobs } from './job-list.ts';
import { CANCEL_REASON_LENGTH_MAX } from './job-mutations.ts';
import { JobOptions } from './job-options.ts';
import { Job } from './job.ts';
import { started, StartJobPayload } from './start-job-payload.ts';

const SAMPLE_SIZE = 10;

interface Preview {
  readonly filter: Filter;
  readonly count: number | null;
}

const touched = (action: BulkAction, { filter }: Preview, ctx: GraphQLContext) =>
  countJobs(ctx.db, touchedBy(action, filter), BULK_JOBS_MAX);

const JobsPreview = builder.objectRef<Preview>('JobsPreview').implement({
  description: 'What a bulk operation would find. Bulk operations themselves are never part of it.',
  fields: (t) => ({
    count: t.int({
      description: 'Jobs that match, for `expectedCount`; at least so many when `countIsExact` is false',
      resolve: ({ filter, count }) => count ?? (filter.search === null ? BULK_JOBS_MAX : 0),
    }),
    countIsExact: t.boolean({
      description:
        'False for more than 1,000,000, and for a search too broad to be counted: narrow the filter',
      resolve: ({ count }) => count !== null,
    }),
    cancellable: t.int({
      nullable: true,
      description: 'Those of them that `cancelJobs` touches now; null where they cannot be counted',
      resolve: (preview, _args, ctx) => touched('cancel', preview, ctx),
    }),
    retryable: t.int({
      nullable: true,
      description: 'Those of them that `retryJobs` touches now; null where they cannot be counted',
      resolve: (preview, _args, ctx) => touched('retry', preview, ctx),
    }),
    byStatus: t.field({
      type: JobStatusCounts,
      description: 'Where they stand',
      resolve: ({ filter }, _args, ctx) => countJobsByStatus(ctx.db, filter, TOTAL_COUNT_MAX),
    }),
    sample: t.field({
      type: [Job],
      description: 'The newest ten',
      async resolve({ filter }, _args, ctx, info) {
        const { ids } = await readJobPage(ctx.db, filter, { limit: SAMPLE_SIZE, before: null });
        const found = await loadJobs(ctx, selectionOf(ctx, info, 'Job'), ids);
        return ids.map((id) => found.get(id)).filter((job) => job !== undefined);
      },
    }),
  }),
});

builder.queryField('previewJobs', (t) =>
  t.field({
    extensions: needs('read'),
    type: JobsPreview,
    description: 'Look before `cancelJobs` and `retryJobs`: how many jobs match, and which',
    args: { filter: t.arg({ type: JobFilter, required: true, description: 'Only jobs that match' }) },
    async resolve(_root, args, ctx) {
      const stored = await withInputProblems(() => {
        const filter = storedFilterOf(args.filter);
        checkNotEmpty(filter);
        return filter;
      });
      const filter = bulkFilter(ctx.jobs.catalogue, ctx.principal.organization.id, stored);
      return { filter, count: await countJobs(ctx.db, filter, BULK_JOBS_MAX) };
    },
  }),
);

interface BulkArgs {
  readonly filter: JobFilterInput;
  readonly expectedCount: number;
  readonly reason?: string | null | undefined;
  readonly options?: typeof JobOptions.$inferInput | null | undefined;
}

function start(ctx: GraphQLContext, action: BulkAction, args: BulkArgs) {
  const { principal, jobs } = ctx;
  return started(async () => {
    const { reason = null, expectedCount, options } = args;
    if (reason && reason.length > CANCEL_REASON_LENGTH_MAX) {
      const message = `Expected at most ${CANCEL_REASON_LENGTH_MAX} characters, got ${reason.length}.`;
      throw UserFacingError.of('INVALID', ['reason'], message);
    }
    return startBulk(jobs, {
      organizationId: principal.organization.id,
      action,
      filter: storedFilterOf(args.filter),
      expectedCount,
      reason,
      triggeredBy: principal.triggeredBy,
      options: options ?? {},
    });
  });
}

const filterArg = { type: JobFilter, required: true, description: 'At least one condition' } as const;
const COUNT =
  'What `previewJobs` told; CONFLICT when more than 5 % more or fewer match by now, or none that it can touch';

builder.mutationField('cancelJobs', (t) =>
  t.field({
    extensions: needs('run_jobs'),
    type: StartJobPayload,
    description:
      'Starts a BULK_OPERATION that cancels the unfinished jobs which match and were created before it, with their unfinished children. Cancelled itself, it stops where it is',
    args: {
      filter: t.arg(filterArg),
      expectedCount: t.arg.int({ required: true, description: COUNT }),
      reason: t.arg.string({ description: 'Why, for people; at most 500 characters' }),
      options: t.arg({ type: JobOptions, description: 'When and how to start it' }),
    },
    resolve: (_root, args, ctx) => start(ctx, 'cancel', args),
  }),
);

builder.mutationField('retryJobs', (t) =>
  t.field({
    extensions: needs('run_jobs'),
    type: StartJobPayload,
    description:
      'Starts a BULK_OPERATION that starts a fresh run, triggered by it, of each settled job which matches and was created before it',
    args: {
      filter: t.arg(filterArg),
      expectedCount: t.arg.int({ required: true, description: COUNT }),
      options: t.arg({ type: JobOptions, description: 'When and how to start it' }),
    },
    resolve: (_root, args, ctx) => start(ctx, 'retry', args),
  }),
);
