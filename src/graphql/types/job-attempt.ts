import type { AttemptOutcome as Outcome } from '../../generated/prisma/enums.ts';
import { builder } from '../builder.ts';
import { errorCodeOf, JobErrorCode } from './job-enums.ts';

const AttemptOutcome = builder.enumType('AttemptOutcome', {
  description: 'How an attempt ended.',
  values: {
    COMPLETED: { value: 'completed', description: 'With a result' },
    FAILED: { value: 'failed', description: 'With an error; counts against `maxAttempts`' },
    SNOOZED: { value: 'snoozed', description: 'Put itself off; does not count' },
    CANCELLED: { value: 'cancelled', description: 'Because somebody asked for it' },
    LOST: { value: 'lost', description: 'Its worker died or hung; counts against `maxAttempts`' },
    RELEASED: { value: 'released', description: 'Given back, for example at a shutdown; does not count' },
  } as const satisfies {
    readonly [O in Outcome as Uppercase<O>]: { readonly value: O; readonly description: string };
  },
});

/** One delivery of a job to one worker. */
builder.prismaObject('JobAttempt', {
  description: 'One run of a job on one worker.',
  select: { delivery: true },
  fields: (t) => ({
    number: t.exposeInt('number', {
      description: '1 for the first; snoozed and released attempts repeat their number',
    }),
    worker: t.exposeString('worker', { description: 'Name of the worker process' }),
    startedAt: t.expose('startedAt', { type: 'DateTime', description: 'When the worker took the job' }),
    endedAt: t.expose('endedAt', { type: 'DateTime', nullable: true, description: 'Null while it runs' }),
    outcome: t.expose('outcome', { type: AttemptOutcome, nullable: true, description: 'Null while it runs' }),
    errorCode: t.field({
      type: JobErrorCode,
      nullable: true,
      description: 'Set when it failed',
      select: { errorCode: true },
      resolve: (attempt) => errorCodeOf(attempt.errorCode),
    }),
    errorMessage: t.exposeString('errorMessage', { nullable: true, description: 'For people' }),
  }),
});
