import type { ObjectRef } from '@pothos/core';
import { UserFacingError } from '../../domain/errors.ts';
import type { JobContract } from '../../jobs/define.ts';
import { readJobPanel, type JobReading } from '../../panels/job-panel.ts';
import { builder } from '../builder.ts';
import type { GraphQLContext } from '../context.ts';
import { inputProblem } from '../errors.ts';
import type { OutputObject } from '../zod-output.ts';
import { visibleJobs } from './job.ts';
import { PanelFailure, PanelState } from './panels/panel.ts';

/** The type of figures that a job makes, with how far they can be trusted. */
export function jobPanelType(
  name: string,
  values: ObjectRef<typeof builder.$inferSchemaTypes, OutputObject>,
  description: string,
) {
  return builder.objectRef<JobReading>(name).implement({
    description,
    fields: (t) => ({
      state: t.expose('state', {
        type: PanelState,
        description:
          'READY: fresh enough. STALE: older, of another day, or the last run failed. LOADING: never made yet. FAILED: the last run failed, and there is no older one',
      }),
      asOf: t.expose('asOf', {
        type: 'DateTime',
        nullable: true,
        description: 'When the shown values were true; null without values',
      }),
      failure: t.expose('failure', {
        type: PanelFailure,
        nullable: true,
        description: 'Why the last run made no values; until `retryAt` nothing is started anew',
      }),
      refreshJob: t.prismaField({
        type: 'Job',
        nullable: true,
        description: 'The job that is making fresh values now, if one is',
        resolve: (query, { refreshJobId: id }, _args, ctx) =>
          id ? ctx.prisma.job.findFirst({ ...query, where: { ...visibleJobs(ctx), id } }) : null,
      }),
      values: t.field({
        type: values,
        nullable: true,
        description: 'Null unless READY or STALE',
        resolve: (reading) => reading.values,
      }),
    }),
  });
}

export interface JobPanelAsk {
  readonly contract: JobContract;
  readonly input: object;
  readonly maxAgeSeconds: number;
}

/**
 * What there is, and the job that makes it anew, which is started only for whoever may start jobs.
 * @throws BAD_USER_INPUT that names the argument
 */
export async function askJobPanel(ctx: GraphQLContext, ask: JobPanelAsk): Promise<JobReading> {
  const { principal } = ctx;
  try {
    return await readJobPanel(ctx, {
      ...ask,
      organization: principal.organization,
      startAs: principal.permissions.has('run_jobs') ? principal.triggeredBy : null,
    });
  } catch (error) {
    const [mistake] = error instanceof UserFacingError ? error.errors : [];
    // The arguments stand in the job's input, or in its options, under the same names.
    throw mistake ? inputProblem(mistake.field?.slice(1) ?? [], mistake.message) : error;
  }
}
