import { uuidOf } from '../../domain/ids.ts';
import { needs } from '../authorization/rules.ts';
import { builder } from '../builder.ts';
import type { GraphQLContext } from '../context.ts';
import { inputProblem, problem } from '../errors.ts';
import { JobEvent } from './job-event.ts';
import { Job, visibleJobs } from './job.ts';

/** The uuid of a job that the caller may see. @throws GraphQLError NOT_FOUND, the same for a foreign and a missing one */
async function jobToFollow(ctx: GraphQLContext, publicId: string): Promise<string> {
  const id = uuidOf('job', publicId);
  const job =
    id && (await ctx.prisma.job.findFirst({ where: { ...visibleJobs(ctx), id }, select: { id: true } }));
  if (!job) throw problem('NOT_FOUND', 'There is no such job.', { argument: ['id'] });
  return job.id;
}

builder.subscriptionField('jobEvents', (t) =>
  t.field({
    type: JobEvent,
    description:
      "One job's events: those after `after` (0 = all), then live; in order, none missing, none twice. Completes after the event that settles the job, also when it was settled before.",
    args: {
      id: t.arg.id({ required: true, description: 'Id of the job' }),
      after: t.arg.int({ defaultValue: 0, description: 'The last `seq` that the caller has' }),
    },
    extensions: { ...needs('read'), shared: { type: 'each', position: 'after' } },
    async subscribe(_root, args, ctx) {
      const after = args.after ?? 0;
      if (after < 0) throw inputProblem(['after'], `expected 0 or more, got ${after}.`);
      return ctx.streams.events(await jobToFollow(ctx, args.id), after);
    },
    resolve: (event) => event,
  }),
);

builder.subscriptionField('jobProgress', (t) =>
  t.prismaField({
    type: Job,
    description:
      'The job now, then whenever it changes (at most about 10 a second, the latest wins); completes when it is settled',
    args: { id: t.arg.id({ required: true, description: 'Id of the job' }) },
    extensions: { ...needs('read'), shared: { type: 'latest' } },
    subscribe: async (_root, args, ctx) => ctx.streams.changes(await jobToFollow(ctx, args.id)),
    resolve: (query, _change, args, ctx) =>
      ctx.prisma.job.findFirstOrThrow({
        ...query,
        where: { ...visibleJobs(ctx), id: uuidOf('job', args.id) ?? '' },
      }),
  }),
);
