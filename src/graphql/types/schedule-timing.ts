import {
  EVERY_SECONDS_MAX,
  EVERY_SECONDS_MIN,
  type ScheduleTiming as Timing,
} from '../../domain/schedule.ts';
import { describeTiming } from '../../services/schedules/describe-timing.ts';
import { builder } from '../builder.ts';

export const ScheduleTiming = builder.objectRef<Timing>('ScheduleTiming').implement({
  description: 'When a schedule is due: by a cron expression, every so many seconds, or once.',
  fields: (t) => ({
    cron: t.string({
      nullable: true,
      description: 'Five fields: minute, hour, day of the month, month, day of the week',
      resolve: (timing) => (timing.type === 'cron' ? timing.expression : null),
    }),
    timeZone: t.string({
      nullable: true,
      description: 'IANA name, with `cron`: whose clock it goes by',
      resolve: (timing) => (timing.type === 'cron' ? timing.timeZone : null),
    }),
    everySeconds: t.int({
      nullable: true,
      description: 'From one due time to the next',
      resolve: (timing) => (timing.type === 'every' ? timing.seconds : null),
    }),
    runAt: t.field({
      type: 'DateTime',
      nullable: true,
      description: 'The moment of a single run',
      resolve: (timing) => (timing.type === 'once' ? timing.at : null),
    }),
    description: t.string({
      description: 'The same in words, e.g. "Every day at 02:30, Europe/Berlin"',
      resolve: (timing) => describeTiming(timing),
    }),
  }),
});

const CronTimingInput = builder.inputType('CronTimingInput', {
  description:
    'A time of day that the zone skips in spring runs when the gap ends; one that comes twice in autumn runs once.',
  fields: (t) => ({
    expression: t.string({
      required: true,
      description:
        'Minute, hour, day of the month, month and day of the week, e.g. "30 2 * * *"; or "@daily"',
    }),
    timeZone: t.string({ description: 'IANA name, e.g. "Europe/Berlin"; absent: the organization\'s' }),
  }),
});

const EveryTimingInput = builder.inputType('EveryTimingInput', {
  description:
    'Counted from when the schedule was made or given this timing: late runs do not shift the later ones.',
  fields: (t) => ({
    seconds: t.int({ required: true, description: `${EVERY_SECONDS_MIN} to ${EVERY_SECONDS_MAX}` }),
  }),
});

const OnceTimingInput = builder.inputType('OnceTimingInput', {
  description: 'A single run; the schedule is kept afterwards, as FINISHED.',
  fields: (t) => ({
    at: t.field({ type: 'DateTime', required: true, description: 'A moment to come' }),
  }),
});

export const ScheduleTimingInput = builder.inputType('ScheduleTimingInput', {
  description: 'When: exactly one of these.',
  isOneOf: true,
  fields: (t) => ({
    cron: t.field({ type: CronTimingInput, description: "By a time zone's clock and calendar" }),
    every: t.field({ type: EveryTimingInput, description: 'Again and again, evenly' }),
    once: t.field({ type: OnceTimingInput, description: 'A single time' }),
  }),
});
