import { z } from 'zod';
import { timeOfUuid } from '../domain/ids.ts';
import { JOB_PRIORITIES } from '../domain/job.ts';
import type { Job } from '../generated/prisma/client.ts';
import type { StartedJob } from '../queue/start.ts';

/**
 * The row of a job that was written a moment ago, without reading it back, if `select` asks for nothing but its own
 * columns. @returns null where the database must be asked
 */
export function freshRow(written: StartedJob['written'], select: object | undefined): Job | null {
  if (!written) return null;
  const row = rowOf(written);
  const covered = Object.entries(select ?? {}).every(([column, wanted]) => wanted === true && column in row);
  return covered ? row : null;
}

function rowOf({ job, inserted: { news, issued } }: NonNullable<StartedJob['written']>): Job {
  const at = news.events[0]?.at ?? new Date();
  const { organizationId, kind, version, queue, triggeredBy, runAt, maxAttempts } = job;
  return {
    ...NOTHING_YET,
    ...{ id: job.id, organizationId, kind, version, queue, triggeredBy, runAt, maxAttempts },
    priority: JOB_PRIORITIES[job.priority],
    input: z.json().parse(JSON.parse(JSON.stringify(job.input))),
    inputHash: new Uint8Array(job.inputHash),
    createdAt: timeOfUuid(job.id),
    statusChangedAt: at,
    dueAt: runAt ?? at,
    delivery: issued?.delivery ?? 0,
    deliveredAt: issued ? at : null,
    queueJobId: issued ? `${job.id}-${issued.delivery}` : null,
    idempotencyKey: job.idempotencyKey,
    uniqueKey: job.uniqueKey,
    parentId: job.parentId,
    scheduleId: job.scheduleId,
    scheduledFor: job.scheduledFor,
    internal: job.internal,
    searchText: job.searchText,
    notifiedAt: null,
  };
}

const NOTHING_YET = {
  status: 'pending',
  result: null,
  startedAt: null,
  completedAt: null,
  errorCode: null,
  errorMessage: null,
  progressPercent: null,
  progressMessage: null,
  epoch: null,
  attempt: 0,
  nextAttemptAt: null,
  waitingFor: null,
  workerId: null,
  cancelRequestedAt: null,
  cancelRequestedBy: null,
  cancelReason: null,
  cancelHeardAt: null,
  countTotal: null,
  countProcessed: 0,
  countSucceeded: 0,
  countWarned: 0,
  countFailed: 0,
  itemCount: 0,
  lastSeq: 1,
} as const;
