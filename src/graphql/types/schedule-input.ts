import type { ScheduleTimingRequest } from '../../domain/schedule.ts';
import { isSchedulable, type JobContract } from '../../jobs/define.ts';
import { jobCatalogue } from '../../jobs/index.ts';
import type { ScheduleRequest } from '../../queue/schedules.ts';
import { builder } from '../builder.ts';
import type { GraphQLContext } from '../context.ts';
import { jobInputType } from '../job-input-types.ts';
import { decodeInput } from '../job-input.ts';
import { pascalCase } from '../zod-node.ts';
import { JobPriority } from './job-enums.ts';
import { ScheduleTimingInput } from './schedule-timing.ts';

/** `product_import` as a field: `productImport`. */
const fieldOf = ({ kind }: JobContract): string =>
  pascalCase(kind).replace(/^./, (letter) => letter.toLowerCase());

/** Kinds that people make schedules for, by their field in ScheduledJobInput. */
const schedulable: ReadonlyMap<string, JobContract> = new Map(
  Object.values<JobContract>(jobCatalogue)
    .filter(isSchedulable)
    .map((contract) => [fieldOf(contract), contract]),
);

const ScheduledJobInput = builder.inputType('ScheduledJobInput', {
  description: 'What a schedule starts: exactly one kind of job, with its input.',
  isOneOf: true,
  fields: (t) =>
    Object.fromEntries(
      [...schedulable].map(([field, contract]) => [
        field,
        t.field({ type: jobInputType(contract), description: contract.title }),
      ]),
    ),
});

export const CreateScheduleInput = builder.inputType('CreateScheduleInput', {
  description: 'A new schedule.',
  fields: (t) => ({
    name: t.string({ required: true, description: 'For people, at most 100 characters; taken: CONFLICT' }),
    timing: t.field({ type: ScheduleTimingInput, required: true, description: 'When to start the job' }),
    job: t.field({ type: ScheduledJobInput, required: true, description: 'What to start' }),
    priority: t.field({
      type: JobPriority,
      required: true,
      defaultValue: 'NORMAL',
      description: "Of its jobs among the organization's waiting jobs",
    }),
  }),
});

export const UpdateScheduleInput = builder.inputType('UpdateScheduleInput', {
  description: 'What is absent or null stays as it is.',
  fields: (t) => ({
    name: t.string({ description: 'For people, at most 100 characters; taken: CONFLICT' }),
    timing: t.field({
      type: ScheduleTimingInput,
      description: 'When to start the job; another one than before counts from now',
    }),
    job: t.field({ type: ScheduledJobInput, description: 'What to start' }),
    priority: t.field({
      type: JobPriority,
      description: "Of its jobs among the organization's waiting jobs",
    }),
  }),
});

type TimingInput = typeof ScheduleTimingInput.$inferInput;

/** The zone of a cron expression is the organization's unless its caller says another. */
export function timingRequest(
  { cron, every, once }: TimingInput,
  { principal: { organization } }: GraphQLContext,
): ScheduleTimingRequest {
  if (cron) {
    const { expression, timeZone } = cron;
    return { cron: { expression, timeZone: timeZone ?? organization.timeZone } };
  }
  if (every) return { every };
  if (once) return { once };
  throw new Error('a timing with no member passed the schema');
}

/** @throws UserFacingError for ids that cannot exist */
export function jobRequest(input: Readonly<Record<string, unknown>>): ScheduleRequest['job'] {
  const [[field, value] = ['', null]] = Object.entries(input);
  const contract = schedulable.get(field);
  if (!contract) throw new Error('a scheduled job of no kind passed the schema');
  const path = ['input', 'job', field];
  return { kind: contract.kind, input: decodeInput(contract.input, value, path), path };
}
