import { z } from 'zod';
import type { JobEventType as EventType, LogLevel as Level } from '../../generated/prisma/enums.ts';
import type { JobEvent as JobEventShape } from '../../domain/job.ts';
import { readEventPages } from '../../repositories/job-lists.ts';
import { defineBatch } from '../batch.ts';
import { builder } from '../builder.ts';
import type { GraphQLContext } from '../context.ts';
import { connectionType, readPage, toPage, type Page } from './connection.ts';
import { errorCodeOf, JobErrorCode, JobStatus } from './job-enums.ts';

type Upper<Stored extends string> = {
  readonly [V in Stored as Uppercase<V>]: { readonly value: V; readonly description: string };
};

const JobEventType = builder.enumType('JobEventType', {
  description: 'What an event tells.',
  values: {
    STATUS: { value: 'status', description: 'The status changed' },
    PROGRESS: { value: 'progress', description: 'The work went on' },
    LOG: { value: 'log', description: 'A line for people' },
    WARNING: { value: 'warning', description: 'Rows or records warned or failed' },
  } as const satisfies Upper<EventType>,
});

const LogLevel = builder.enumType('LogLevel', {
  description: 'How much a line of the log matters.',
  values: {
    DEBUG: { value: 'debug', description: 'For whoever looks closely' },
    INFO: { value: 'info', description: 'Worth knowing' },
    WARN: { value: 'warn', description: 'Worth looking at' },
    ERROR: { value: 'error', description: 'Something went wrong' },
  } as const satisfies Upper<Level>,
});

export const JobEvent = builder.objectRef<JobEventShape>('JobEvent').implement({
  description: "One line of a job's event log.",
  fields: (t) => ({
    seq: t.exposeInt('seq', { description: '1, 2, 3 … within one job, without holes' }),
    at: t.expose('at', { type: 'DateTime', description: 'When it was written' }),
    type: t.expose('type', { type: JobEventType, description: 'What it tells' }),
    attempt: t.exposeInt('attempt', { description: 'The attempt it belongs to; 0 before the first' }),
    status: t.expose('status', { type: JobStatus, description: 'Status after this event' }),
    progressPercent: t.exposeInt('progressPercent', {
      nullable: true,
      description: '0 to 100; null while unknown',
    }),
    message: t.exposeString('message', { nullable: true, description: 'For people' }),
    level: t.expose('level', { type: LogLevel, nullable: true, description: 'Of a LOG' }),
    errorCode: t.field({
      type: JobErrorCode,
      nullable: true,
      description: 'Of a STATUS that tells a failure',
      resolve: (event) => errorCodeOf(event.errorCode),
    }),
  }),
});

export const JobEventConnection = connectionType<JobEventShape>(
  'JobEvent',
  (t) => t.field({ type: JobEvent, description: 'The event', resolve: (edge) => edge.node }),
  {
    description: "A page of a job's event log, oldest first.",
    totalCount: { nullable: false, description: 'Events so far' },
  },
);

interface EventsPage {
  readonly first: number;
  readonly after: number;
}

const loadEvents = defineBatch((ctx, page: EventsPage, jobIds: readonly string[]) =>
  readEventPages(ctx.db, jobIds, page),
);

/** A page of one job's log; the pages of a list's jobs are read together. */
export async function eventsOf(
  job: { readonly id: string; readonly lastSeq: number },
  args: { readonly first?: number | null | undefined; readonly after?: string | null | undefined },
  ctx: GraphQLContext,
): Promise<Page<JobEventShape>> {
  const request = readPage(ctx, args, 'events', z.int().positive());
  const page = { first: request.first + 1, after: request.after ?? 0 };
  const rows = (await loadEvents(ctx, JSON.stringify(page), page, job.id)) ?? [];
  return toPage({
    list: 'events',
    request,
    rows,
    keyOf: (event) => event.seq,
    totalCount: () => job.lastSeq,
  });
}
