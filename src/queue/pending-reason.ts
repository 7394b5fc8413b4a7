import type { WaitCause } from '../domain/job-status.ts';
import type { Sql } from '../repositories/db.ts';

export type PendingReasonCode =
  | 'WAITING_FOR_WORKER'
  | 'QUEUE_PAUSED'
  | 'NO_CAPABLE_WORKER'
  | 'ORGANIZATION_LIMIT'
  | 'SCHEDULED'
  | 'RATE_LIMITED'
  | 'WAITING_FOR_CHILDREN'
  | 'RETRYING';

/** Why a pending job is not running. */
export interface PendingReason {
  readonly code: PendingReasonCode;
  readonly message: string;
  /** When it ends, where that is known */
  readonly until: Date | null;
}

interface ReasonRow {
  id: string;
  queue: string;
  kind: string;
  attempt: number;
  due_at: Date | null;
  due: boolean;
  waiting_for: WaitCause | null;
  delivered: boolean;
  paused: boolean;
  draining: boolean;
  capable: boolean;
}

/** The reasons of those of `jobIds` that are pending, by one statement. */
export async function pendingReasons(
  sql: Sql,
  jobIds: readonly string[],
): Promise<Map<string, PendingReason>> {
  const { rows } = await sql.query<ReasonRow>(
    `SELECT jobs.id, queue, kind, attempt, nullif(due_at, 'infinity') AS due_at, due_at <= now() AS due, waiting_for,
            delivered_at IS NOT NULL AS delivered,
            coalesce(queues.paused_at IS NOT NULL, false) AS paused, coalesce(draining, false) AS draining,
            EXISTS (SELECT 1 FROM workers WHERE beat_at > now() - interval '15 seconds'
                      AND (kinds ->> jobs.kind)::int >= jobs.version) AS capable
     FROM jobs LEFT JOIN queues ON queues.name = jobs.queue
     WHERE jobs.id = ANY($1) AND status = 'pending'`,
    [jobIds],
  );
  return new Map(rows.map((row) => [row.id, reasonOf(row)]));
}

/** The first that holds, from what would not change by itself to what soon does. */
function reasonOf(row: ReasonRow): PendingReason {
  if (row.waiting_for === 'children') {
    return { code: 'WAITING_FOR_CHILDREN', message: 'Jobs that it started are not settled.', until: null };
  }
  if (row.paused) {
    const what = row.draining ? 'is being drained and starts nothing new' : 'is paused';
    return { code: 'QUEUE_PAUSED', message: `The queue ${row.queue} ${what}.`, until: null };
  }
  if (!row.due && row.waiting_for === 'rate_limit') {
    return { code: 'RATE_LIMITED', message: 'A provider asked for a pause until then.', until: row.due_at };
  }
  if (!row.due && row.attempt > 0) {
    return {
      code: 'RETRYING',
      message: `Attempt ${row.attempt} failed; the next one is due then.`,
      until: row.due_at,
    };
  }
  if (!row.due)
    return { code: 'SCHEDULED', message: 'The job was started for a later time.', until: row.due_at };
  if (!row.capable) {
    return {
      code: 'NO_CAPABLE_WORKER',
      message: `No live worker knows ${row.kind} in this version.`,
      until: null,
    };
  }
  if (!row.delivered) {
    return {
      code: 'ORGANIZATION_LIMIT',
      message: 'Other jobs of the organization are ahead of it.',
      until: null,
    };
  }
  return { code: 'WAITING_FOR_WORKER', message: 'The job is next when a worker is free.', until: null };
}
