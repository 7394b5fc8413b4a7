import { UserFacingError, type UserError as UserErrorShape } from '../../domain/errors.ts';
import { uuidOf } from '../../domain/ids.ts';
import { cancelJob } from '../../queue/cancel.ts';
import { retryFailedItems, retryJob } from '../../queue/retry.ts';
import { needs } from '../authorization/rules.ts';
import { builder } from '../builder.ts';
import { JobOptions } from './job-options.ts';
import { Job, visibleJobs } from './job.ts';
import { started, StartJobPayload } from './start-job-payload.ts';
import { UserError } from './user-error.ts';

export const CANCEL_REASON_LENGTH_MAX = 500;

/** @throws UserFacingError: what is no job's id is the id of no job */
function jobIdOf(publicId: string): string {
  const id = uuidOf('job', publicId);
  if (id === null) throw UserFacingError.of('NOT_FOUND', ['id'], 'There is no such job.');
  return id;
}

builder.mutationField('retryJob', (t) =>
  t.field({
    extensions: needs('run_jobs'),
    type: StartJobPayload,
    description: 'A fresh run with the same input; the old job stays as it was. SOURCE gone: EXPIRED',
    args: {
      id: t.arg.id({ required: true, description: 'Id of the job to run again' }),
      options: t.arg({ type: JobOptions, description: 'When and how to start it' }),
    },
    resolve: (_root, { id, options }, { jobs, principal: { organization, triggeredBy } }) =>
      started(async () =>
        retryJob(jobs, {
          organizationId: organization.id,
          jobId: jobIdOf(id),
          triggeredBy,
          options: options ?? {},
        }),
      ),
  }),
);

builder.mutationField('retryFailedItems', (t) =>
  t.field({
    extensions: needs('run_jobs'),
    type: StartJobPayload,
    description:
      'A job over only the rows that failed, from the stored source; kinds without a ledger: NOT_ALLOWED',
    args: {
      id: t.arg.id({ required: true, description: 'Id of the job whose rows failed' }),
      options: t.arg({ type: JobOptions, description: 'When and how to start it' }),
    },
    resolve: (_root, { id, options }, { jobs, principal: { organization, triggeredBy } }) =>
      started(async () =>
        retryFailedItems(jobs, {
          organizationId: organization.id,
          jobId: jobIdOf(id),
          triggeredBy,
          options: options ?? {},
        }),
      ),
  }),
);

interface Cancelled {
  readonly jobId: string | null;
  readonly userErrors: readonly UserErrorShape[];
}

const CancelJobPayload = builder.objectRef<Cancelled>('CancelJobPayload').implement({
  description: 'The job, asked to end or settled before.',
  fields: (t) => ({
    job: t.prismaField({
      type: Job,
      nullable: true,
      description: 'The job as it is now; null when there is no such job',
      resolve: (query, { jobId }, _args, ctx) =>
        jobId === null
          ? null
          : ctx.prisma.job.findFirst({ ...query, where: { ...visibleJobs(ctx), id: jobId } }),
    }),
    userErrors: t.field({
      type: [UserError],
      description: 'Why it cannot be cancelled; empty when it was asked to end',
      resolve: ({ userErrors }): UserErrorShape[] => [...userErrors],
    }),
  }),
});

builder.mutationField('cancelJob', (t) =>
  t.field({
    extensions: needs('run_jobs'),
    type: CancelJobPayload,
    description: 'Unfinished children are cancelled too; a settled job comes back unchanged with CONFLICT',
    args: {
      id: t.arg.id({ required: true, description: 'Id of the job' }),
      reason: t.arg.string({ description: 'Why, for people; at most 500 characters' }),
    },
    async resolve(
      _root,
      { id, reason },
      { jobs, principal: { organization, triggeredBy } },
    ): Promise<Cancelled> {
      const problem = (code: UserErrorShape['code'], field: string, message: string): Cancelled => ({
        jobId: null,
        userErrors: [{ code, field: [field], message }],
      });
      const jobId = uuidOf('job', id);
      if (jobId === null) return problem('NOT_FOUND', 'id', 'There is no such job.');
      if (reason && reason.length > CANCEL_REASON_LENGTH_MAX) {
        return problem(
          'INVALID',
          'reason',
          `Expected at most ${CANCEL_REASON_LENGTH_MAX} characters, got ${reason.length}.`,
        );
      }
      const result = await cancelJob(jobs, {
        organizationId: organization.id,
        jobId,
        by: triggeredBy,
        reason: reason ?? null,
      });
      return { jobId: result.jobId, userErrors: result.error ? [result.error] : [] };
    },
  }),
);
