import { UserFacingError, type UserError as UserErrorShape } from '../../domain/errors.ts';
import { toPublicId, uuidOf } from '../../domain/ids.ts';
import {
  createSchedule,
  deleteSchedule,
  pauseSchedule,
  resumeSchedule,
  runScheduleNow,
  updateSchedule,
  type ScheduleRequest,
} from '../../queue/schedules.ts';
import { needs } from '../authorization/rules.ts';
import { builder } from '../builder.ts';
import type { GraphQLContext } from '../context.ts';
import { withUserErrors, type WithUserErrors } from '../errors.ts';
import { CreateScheduleInput, jobRequest, timingRequest, UpdateScheduleInput } from './schedule-input.ts';
import { livingSchedules, Schedule } from './schedule.ts';
import { started, StartJobPayload } from './start-job-payload.ts';
import { UserError } from './user-error.ts';

interface Changed extends WithUserErrors {
  readonly scheduleId: string | null;
}

const SchedulePayload = builder.objectRef<Changed>('SchedulePayload').implement({
  description: 'The schedule, or what must be mended.',
  fields: (t) => ({
    schedule: t.prismaField({
      type: Schedule,
      nullable: true,
      description: 'The schedule as it is now; null with `userErrors`',
      resolve: (query, { scheduleId }, _args, ctx) =>
        scheduleId === null
          ? null
          : ctx.prisma.schedule.findFirst({ ...query, where: { ...livingSchedules(ctx), id: scheduleId } }),
    }),
    userErrors: t.field({
      type: [UserError],
      description: 'What must be mended; empty when it worked',
      resolve: ({ userErrors }): UserErrorShape[] => [...userErrors],
    }),
  }),
});

builder.mutationField('createSchedule', (t) =>
  t.field({
    extensions: needs('manage_schedules'),
    type: SchedulePayload,
    description: 'An organization may have 1,000: LIMIT_REACHED',
    args: { input: t.arg({ type: CreateScheduleInput, required: true, description: 'What it is to be' }) },
    resolve: (_root, { input }, ctx) =>
      changed(async () => {
        const owner = {
          organizationId: ctx.principal.organization.id,
          createdBy: ctx.principal.triggeredBy,
        };
        const { name, priority } = input;
        const timing = timingRequest(input.timing, ctx);
        return createSchedule(ctx.jobs, owner, { name, timing, job: jobRequest(input.job), priority });
      }),
  }),
);

builder.mutationField('updateSchedule', (t) =>
  t.field({
    extensions: needs('manage_schedules'),
    type: SchedulePayload,
    description: 'Changes what is given; jobs that it started before stay as they are',
    args: {
      id: t.arg.id({ required: true, description: 'Id of the schedule' }),
      input: t.arg({ type: UpdateScheduleInput, required: true, description: 'What is to change' }),
    },
    resolve: (_root, { id, input: { name, timing, job, priority } }, ctx) =>
      changed(async () => {
        const target = targetOf(id, ctx);
        const request: Partial<ScheduleRequest> = {
          ...(name == null ? {} : { name }),
          ...(timing == null ? {} : { timing: timingRequest(timing, ctx) }),
          ...(job == null ? {} : { job: jobRequest(job) }),
          ...(priority == null ? {} : { priority }),
        };
        await updateSchedule(ctx.jobs, target, request);
        return target.id;
      }),
  }),
);

builder.mutationField('pauseSchedule', (t) =>
  t.field({
    extensions: needs('manage_schedules'),
    type: SchedulePayload,
    description: 'Due times pass without a job until it is resumed; nothing to come: CONFLICT',
    args: { id: t.arg.id({ required: true, description: 'Id of the schedule' }) },
    resolve: (_root, { id }, ctx) =>
      changed(async () => {
        const target = targetOf(id, ctx);
        await pauseSchedule(ctx.jobs, target);
        return target.id;
      }),
  }),
);

builder.mutationField('resumeSchedule', (t) =>
  t.field({
    extensions: needs('manage_schedules'),
    type: SchedulePayload,
    description: 'Goes on with the next due time; what passed during the pause is not made up for',
    args: { id: t.arg.id({ required: true, description: 'Id of the schedule' }) },
    resolve: (_root, { id }, ctx) =>
      changed(async () => {
        const target = targetOf(id, ctx);
        await resumeSchedule(ctx.jobs, target);
        return target.id;
      }),
  }),
);

builder.mutationField('runScheduleNow', (t) =>
  t.field({
    extensions: needs('manage_schedules'),
    type: StartJobPayload,
    description: 'Starts its job now, paused or not; when it is due next stays as it is',
    args: { id: t.arg.id({ required: true, description: 'Id of the schedule' }) },
    resolve: (_root, { id }, ctx) =>
      started(async () =>
        runScheduleNow(ctx.jobs, { ...targetOf(id, ctx), triggeredBy: ctx.principal.triggeredBy }),
      ),
  }),
);

interface Deleted extends WithUserErrors {
  readonly deletedScheduleId: string | null;
}

const DeleteSchedulePayload = builder.objectRef<Deleted>('DeleteSchedulePayload').implement({
  description: 'The id that is no more, or why not.',
  fields: (t) => ({
    deletedScheduleId: t.exposeID('deletedScheduleId', {
      nullable: true,
      description: 'Id of what was deleted; null with `userErrors`',
    }),
    userErrors: t.field({
      type: [UserError],
      description: 'What must be mended; empty when it worked',
      resolve: ({ userErrors }): UserErrorShape[] => [...userErrors],
    }),
  }),
});

builder.mutationField('deleteSchedule', (t) =>
  t.field({
    extensions: needs('manage_schedules'),
    type: DeleteSchedulePayload,
    description: 'Its jobs stay, those that are under way too',
    args: { id: t.arg.id({ required: true, description: 'Id of the schedule' }) },
    resolve: (_root, { id }, ctx) =>
      withUserErrors<Omit<Deleted, 'userErrors'>>({ deletedScheduleId: null }, async () => {
        const target = targetOf(id, ctx);
        await deleteSchedule(ctx.jobs, target);
        return { deletedScheduleId: toPublicId('schedule', target.id) };
      }),
  }),
);

/** Runs what changes a schedule and gives its id; a person's mistake becomes `userErrors`. */
function changed(change: () => Promise<string>): Promise<Changed> {
  return withUserErrors<Omit<Changed, 'userErrors'>>({ scheduleId: null }, async () => ({
    scheduleId: await change(),
  }));
}

/** @throws UserFacingError: what is no schedule's id is the id of no schedule */
function targetOf(publicId: string, { principal: { organization } }: GraphQLContext) {
  const id = uuidOf('schedule', publicId);
  if (id === null) throw UserFacingError.of('NOT_FOUND', ['id'], 'There is no such schedule.');
  return { organizationId: organization.id, id };
}
