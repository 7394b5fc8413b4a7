import { toPublicId, uuidOf } from '../../domain/ids.ts';
import {
  scheduleState,
  type ScheduleState as State,
  type ScheduleTiming as Timing,
} from '../../domain/schedule.ts';
import { priorityOf, timingOf } from '../../repositories/schedules.ts';
import { dueTimesFrom } from '../../services/schedules/due-times.ts';
import { needs } from '../authorization/rules.ts';
import { builder } from '../builder.ts';
import type { GraphQLContext } from '../context.ts';
import { inputProblem } from '../errors.ts';
import { encodeInput } from '../job-input.ts';
import { contractOf, publicKindOrNull } from '../job-kinds.ts';
import { selectionOf } from '../selection.ts';
import { JobKind, JobPriority } from './job-enums.ts';
import { implementNode, Node } from './node.ts';
import { ScheduleTiming } from './schedule-timing.ts';

const NEXT_RUNS_DEFAULT = 5;
const NEXT_RUNS_MAX = 20;

export const ScheduleState = builder.enumType('ScheduleState', {
  description: 'Whether a schedule starts jobs.',
  values: {
    ACTIVE: { value: 'active', description: 'Starts a job when it is due' },
    PAUSED: { value: 'paused', description: 'Due times pass without a job until it is resumed' },
    FINISHED: { value: 'finished', description: 'Nothing is to come; kept until it is deleted' },
  } as const satisfies {
    readonly [S in State as Uppercase<S>]: { readonly value: S; readonly description: string };
  },
});

const TIMING_COLUMNS = {
  cron: true,
  timeZone: true,
  everySeconds: true,
  onceAt: true,
  anchorAt: true,
} as const;

/** Only what a query selects is read. */
export const Schedule = builder.prismaObject('Schedule', {
  description: 'Starts a job by itself, again and again or once.',
  interfaces: [Node],
  select: { id: true },
  fields: (t) => ({
    id: t.id({ description: 'Starts with "sch_"', resolve: ({ id }) => toPublicId('schedule', id) }),
    name: t.exposeString('name', {
      description:
        'For people; no two of an organization are alike. Its jobs are triggered by "schedule:<name>"',
    }),
    kind: t.field({
      type: JobKind,
      nullable: true,
      description: 'What it starts; null for a kind that this release no longer knows',
      select: { kind: true },
      resolve: ({ kind }) => publicKindOrNull(kind),
    }),
    input: t.field({
      type: 'JSON',
      description: "The jobs' input, as its caller gave it, with defaults filled in",
      select: { kind: true, input: true },
      resolve: ({ kind, input }, _args, ctx) => {
        const contract = contractOf(ctx.jobs.catalogue, kind);
        return contract ? encodeInput(contract.input, input) : input;
      },
    }),
    priority: t.field({
      type: JobPriority,
      description: "Of its jobs among the organization's waiting jobs",
      select: { priority: true },
      resolve: ({ priority }) => priorityOf(priority),
    }),
    timing: t.field({
      type: ScheduleTiming,
      description: 'When it is due',
      select: TIMING_COLUMNS,
      resolve: (schedule) => timingOf(schedule),
    }),
    state: t.field({
      type: ScheduleState,
      description: 'Whether it starts jobs',
      select: { pausedAt: true, nextDueAt: true },
      resolve: (schedule) => scheduleState(schedule),
    }),
    paused: t.boolean({
      description: 'Somebody paused it',
      select: { pausedAt: true },
      resolve: ({ pausedAt }) => pausedAt !== null,
    }),
    nextRunAt: t.expose('nextDueAt', {
      type: 'DateTime',
      nullable: true,
      description: 'When it is due next; null while paused and when finished',
    }),
    nextRuns: t.field({
      type: ['DateTime'],
      description: 'When it is due next, and after that; empty while paused and when finished',
      args: {
        first: t.arg.int({
          defaultValue: NEXT_RUNS_DEFAULT,
          description: `How many at most, 1 to ${NEXT_RUNS_MAX}`,
        }),
      },
      select: { ...TIMING_COLUMNS, nextDueAt: true },
      resolve: ({ nextDueAt, ...columns }, { first }) => nextRuns(timingOf(columns), nextDueAt, first),
    }),
    lastRunAt: t.expose('lastDueAt', {
      type: 'DateTime',
      nullable: true,
      description: 'Latest due time that was dealt with: a job was started, or `lastError` tells why not',
    }),
    lastError: t.exposeString('lastError', {
      nullable: true,
      description: 'Why no job was started when it was due last, for people; null when one was',
    }),
    createdAt: t.expose('createdAt', { type: 'DateTime', description: 'When it was made' }),
    createdBy: t.exposeString('createdBy', { description: 'manual:<user> or api:<key name>' }),
    updatedAt: t.expose('updatedAt', { type: 'DateTime', description: 'When a caller changed it last' }),
  }),
});

function nextRuns(timing: Timing, next: Date | null, count: number | null | undefined): Date[] {
  const first = count ?? NEXT_RUNS_DEFAULT;
  if (first < 1 || first > NEXT_RUNS_MAX)
    throw inputProblem(['first'], `expected 1 to ${NEXT_RUNS_MAX}, got ${first}.`);
  return next ? dueTimesFrom(timing, next, first) : [];
}

/** What no query may reach past: the caller's organization, and what was not deleted. */
export function livingSchedules(ctx: GraphQLContext) {
  return { organizationId: ctx.principal.organization.id, deletedAt: null };
}

implementNode('schedule', Schedule, (id, ctx, info) =>
  ctx.prisma.schedule.findFirst({
    ...selectionOf(ctx, info, 'Schedule'),
    where: { ...livingSchedules(ctx), id },
  }),
);

builder.queryField('schedule', (t) =>
  t.prismaField({
    extensions: needs('read'),
    type: Schedule,
    nullable: true,
    description: "One schedule; null for what does not exist and for what is another organization's.",
    args: { id: t.arg.id({ required: true, description: 'Id of the schedule' }) },
    resolve(query, _root, args, ctx) {
      const id = uuidOf('schedule', args.id);
      return id === null
        ? null
        : ctx.prisma.schedule.findFirst({ ...query, where: { ...livingSchedules(ctx), id } });
    },
  }),
);
