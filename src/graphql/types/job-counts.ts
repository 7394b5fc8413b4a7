import { countJobsByStatus, sumOf, type CountsByStatus } from '../../repositories/job-counts.ts';
import { needs } from '../authorization/rules.ts';
import { builder } from '../builder.ts';
import { TOTAL_COUNT_MAX } from '../limits.ts';
import { filterOf, JobFilter } from './job-filter.ts';

const BEYOND = 'null beyond';

export const JobStatusCounts = builder.objectRef<CountsByStatus>('JobStatusCounts').implement({
  description:
    'Jobs per status, each exact up to 10,000 and null beyond; also null for a search too broad to be counted in good time.',
  fields: (t) => ({
    pending: t.exposeInt('pending', { nullable: true, description: `They wait; ${BEYOND}` }),
    running: t.exposeInt('running', { nullable: true, description: `A worker is at them; ${BEYOND}` }),
    completed: t.exposeInt('completed', { nullable: true, description: `Done; ${BEYOND}` }),
    completedWithWarnings: t.exposeInt('completed_with_warnings', {
      nullable: true,
      description: `Done, with items that warned or failed; ${BEYOND}`,
    }),
    failed: t.exposeInt('failed', { nullable: true, description: `Ended without a result; ${BEYOND}` }),
    cancelled: t.exposeInt('cancelled', { nullable: true, description: `Ended on request; ${BEYOND}` }),
    total: t.int({
      nullable: true,
      description: 'All of them together; null when one of them is',
      resolve: (counts) => sumOf(Object.values(counts), Infinity),
    }),
  }),
});

builder.queryField('jobCounts', (t) =>
  t.field({
    extensions: needs('read'),
    type: JobStatusCounts,
    description: "How many of the organization's jobs stand where",
    args: { filter: t.arg({ type: JobFilter, description: 'Only jobs that match' }) },
    resolve: (_root, { filter }, ctx) =>
      countJobsByStatus(ctx.db, filterOf(ctx, filter ?? {}), TOTAL_COUNT_MAX),
  }),
);
