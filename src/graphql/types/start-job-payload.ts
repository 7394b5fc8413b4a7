import type { UserError as UserErrorShape } from '../../domain/errors.ts';
import type { StartedJob } from '../../queue/start.ts';
import { builder } from '../builder.ts';
import { withUserErrors, type WithUserErrors } from '../errors.ts';
import { freshRow } from '../fresh-job.ts';
import { Job, visibleJobs } from './job.ts';
import { UserError } from './user-error.ts';

const ReplayReason = builder.enumType('ReplayReason', {
  description: 'Why an earlier job was returned.',
  values: {
    IDEMPOTENCY_KEY: { value: 'IDEMPOTENCY_KEY', description: 'It was started with this idempotency key' },
    UNIQUE: { value: 'UNIQUE', description: 'The same work is under way' },
    CACHED: { value: 'CACHED', description: 'Its result is fresh enough' },
  } as const,
});

interface Started extends WithUserErrors, Pick<StartedJob, 'replayReason' | 'message' | 'written'> {
  readonly jobId: string | null;
}

const NOTHING = { jobId: null, replayReason: null, message: null, written: null } as const;

/** Runs what starts a job; a person's mistake becomes `userErrors`. */
export function started(start: () => Promise<StartedJob>): Promise<Started> {
  return withUserErrors<Omit<Started, 'userErrors'>>(NOTHING, start);
}

export const StartJobPayload = builder.objectRef<Started>('StartJobPayload').implement({
  description: 'The job, or what must be mended before there can be one.',
  fields: (t) => ({
    job: t.prismaField({
      type: Job,
      nullable: true,
      description: 'The job as it is now; null with `userErrors`',
      resolve: (query, { jobId, written }, _args, ctx) =>
        jobId === null
          ? null
          : (freshRow(written, query.select) ??
            ctx.prisma.job.findFirst({ ...query, where: { ...visibleJobs(ctx), id: jobId } })),
    }),
    replayed: t.boolean({
      description: 'True when an earlier job was returned instead of starting one',
      resolve: ({ replayReason }) => replayReason !== null,
    }),
    replayReason: t.expose('replayReason', {
      type: ReplayReason,
      nullable: true,
      description: 'Why, when `replayed`',
    }),
    message: t.exposeString('message', { nullable: true, description: 'The same for people' }),
    userErrors: t.field({
      type: [UserError],
      description: 'What must be mended; empty when it worked',
      resolve: ({ userErrors }): UserErrorShape[] => [...userErrors],
    }),
  }),
});
