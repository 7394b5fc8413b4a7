import type { CallOptions, Execute } from './client.ts';
import { MillraceError, throwUserErrors } from './errors.ts';
import * as operations from './generated/graphql.ts';
import { started, type StartedJob } from './jobs.ts';

export type Schedule = operations.ScheduleFieldsFragment;
/** With when it is due next, and after that. */
export type ScheduleDetails = NonNullable<operations.GetScheduleQuery['schedule']>;
export type SchedulePage = operations.ListSchedulesQuery['schedules'];
export type ScheduleJobPage = NonNullable<operations.ScheduleJobsQuery['schedule']>['jobs'];

export interface Schedules {
  /** Null for what does not exist. */
  get(id: string, options?: CallOptions & { readonly nextRuns?: number }): Promise<ScheduleDetails | null>;
  list(variables?: operations.ListSchedulesQueryVariables, options?: CallOptions): Promise<SchedulePage>;
  /** A page of its jobs, newest first; null when there is no such schedule. */
  jobs(
    variables: operations.ScheduleJobsQueryVariables,
    options?: CallOptions,
  ): Promise<ScheduleJobPage | null>;
  /** @throws MillraceUserError that names every field which is wrong */
  create(input: operations.CreateScheduleInput, options?: CallOptions): Promise<Schedule>;
  /** Changes what is given. */
  update(id: string, input: operations.UpdateScheduleInput, options?: CallOptions): Promise<Schedule>;
  pause(id: string, options?: CallOptions): Promise<Schedule>;
  resume(id: string, options?: CallOptions): Promise<Schedule>;
  /** Its jobs stay. */
  delete(id: string, options?: CallOptions): Promise<void>;
  /** Starts its job now, beside its due times. */
  runNow(id: string, options?: CallOptions): Promise<StartedJob>;
}

export function createSchedules(execute: Execute): Schedules {
  return {
    get: async (id, { nextRuns = 5, ...options } = {}) =>
      (await execute(operations.GetScheduleDocument, { id, nextRuns }, options)).schedule,
    list: async (variables = {}, options) =>
      (await execute(operations.ListSchedulesDocument, variables, options)).schedules,
    jobs: async (variables, options) =>
      (await execute(operations.ScheduleJobsDocument, variables, options)).schedule?.jobs ?? null,
    create: async (input, options) =>
      scheduleOf((await execute(operations.CreateScheduleDocument, { input }, options)).createSchedule),
    update: async (id, input, options) =>
      scheduleOf((await execute(operations.UpdateScheduleDocument, { id, input }, options)).updateSchedule),
    pause: async (id, options) =>
      scheduleOf((await execute(operations.PauseScheduleDocument, { id }, options)).pauseSchedule),
    resume: async (id, options) =>
      scheduleOf((await execute(operations.ResumeScheduleDocument, { id }, options)).resumeSchedule),
    delete: async (id, options) =>
      throwUserErrors((await execute(operations.DeleteScheduleDocument, { id }, options)).deleteSchedule),
    runNow: async (id, options) =>
      started((await execute(operations.RunScheduleNowDocument, { id }, options)).runScheduleNow),
  };
}

function scheduleOf(payload: operations.SchedulePayloadFieldsFragment): Schedule {
  throwUserErrors(payload);
  if (!payload.schedule) throw new MillraceError('The server gave no schedule and no reason.');
  return payload.schedule;
}
