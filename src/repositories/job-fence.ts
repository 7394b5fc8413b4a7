import { LEDGER_ITEMS_MAX, NUMBERED_EVENTS_MAX, type LedgerItem } from '../domain/job.ts';
import type { Sql } from './db.ts';
import { writtenEvents, type JobNews, type NewJobEvent } from './job-events.ts';
import { lockedJob } from './job-lock.ts';
import { prepared } from './prepared.ts';

/** The attempt is no longer the job's: it was cancelled, taken over or settled. Nothing of it may be written. */
export class AttemptLostError extends Error {
  override readonly name = 'AttemptLostError';
  constructor(jobId: string, delivery: number) {
    super(`delivery ${delivery} of job ${jobId} is no longer its own`);
  }
}

/** What one fenced write changes on the job's row. */
export interface FencedChange {
  readonly total: number | null;
  readonly processed: number;
  readonly succeeded: number;
  readonly warned: number;
  readonly failed: number;
  readonly progressPercent: number | null;
  readonly progressMessage: string | null;
  readonly items: readonly LedgerItem[];
  readonly events: readonly NewJobEvent[];
}

/** One event says that the log is full; it takes the number after the last. */
const LOG_FULL = 'Further progress, log lines and warnings of this job are not kept.';
/** A ledger's value is for recognizing a cell, not for keeping it. */
const VALUE_LENGTH_MAX = 500;

/**
 * The fence: the last thing a transaction of an attempt does. Locks the job's row while this delivery is its own and
 * writes counts, ledger and events with it. Events other than STATUS are bounded before they are numbered.
 * @throws AttemptLostError, which must roll the transaction back
 */
export async function passFence(
  sql: Sql,
  jobId: string,
  delivery: number,
  change: FencedChange,
): Promise<JobNews> {
  const { rows } = await sql.query<{ organization_id: string; ledger: number; events: unknown }>(PASS, [
    jobId,
    delivery,
    change.total,
    change.processed,
    change.succeeded,
    change.warned,
    change.failed,
    change.progressPercent,
    change.progressMessage,
    change.items.length,
    JSON.stringify(
      change.events.map((event) => ({ ...event, progress_percent: event.progressPercent ?? null })),
    ),
  ]);
  const [row] = rows;
  if (!row) throw new AttemptLostError(jobId, delivery);
  await insertItems(sql, jobId, row.ledger, change.items);
  return { organizationId: row.organization_id, jobId, events: writtenEvents.parse(row.events) };
}

const PASS = prepared(
  'fence',
  `
  WITH held AS (
    SELECT id, last_seq, item_count FROM (${lockedJob('$1')}) AS jobs WHERE delivery = $2 AND status = 'running'
  ), incoming AS (
    SELECT entry ->> 'type' AS type, entry ->> 'message' AS message, entry ->> 'level' AS level,
           (entry ->> 'progress_percent')::smallint AS progress_percent, held.last_seq + ordinality AS seq
    FROM held, jsonb_array_elements($11::jsonb) WITH ORDINALITY AS list (entry, ordinality)
    WHERE held.last_seq + ordinality <= ${NUMBERED_EVENTS_MAX + 1}
  ), moved AS (
    UPDATE jobs SET
      count_total = coalesce($3, count_total), count_processed = count_processed + $4,
      count_succeeded = count_succeeded + $5, count_warned = count_warned + $6, count_failed = count_failed + $7,
      progress_percent = coalesce($8, progress_percent), progress_message = coalesce($9, progress_message),
      item_count = least(${LEDGER_ITEMS_MAX}, jobs.item_count + $10),
      last_seq = jobs.last_seq + (SELECT count(*) FROM incoming)
    FROM held WHERE jobs.id = held.id
    RETURNING jobs.*, held.item_count AS ledger
  ), event AS (
    INSERT INTO job_events (job_id, seq, type, attempt, status, progress_percent, message, level)
    SELECT moved.id, incoming.seq,
           (CASE WHEN full_now THEN 'log' ELSE incoming.type END)::job_event_type, moved.attempt, moved.status,
           coalesce(incoming.progress_percent, moved.progress_percent),
           CASE WHEN full_now THEN '${LOG_FULL}' ELSE incoming.message END,
           (CASE WHEN full_now THEN 'warn' ELSE incoming.level END)::log_level
    FROM moved, incoming, LATERAL (SELECT incoming.seq = ${NUMBERED_EVENTS_MAX + 1} AS full_now) AS bound
    RETURNING *
  )
  SELECT organization_id, ledger, (SELECT jsonb_agg(to_jsonb(event)) FROM event) AS events FROM moved`,
);

async function insertItems(
  sql: Sql,
  jobId: string,
  before: number,
  items: readonly LedgerItem[],
): Promise<void> {
  const kept = items.slice(0, Math.max(0, LEDGER_ITEMS_MAX - before));
  if (kept.length === 0) return;
  await sql.query(
    `INSERT INTO job_items (job_id, ordinal, row, key, "column", value, code, message, outcome)
     SELECT $1, $2 + ordinality, item.row, item.key, item.column, item.value, item.code, item.message, item.outcome
     FROM unnest($3::int[], $4::text[], $5::text[], $6::text[], $7::text[], $8::text[], $9::job_item_outcome[])
       WITH ORDINALITY AS item ("row", key, "column", value, code, message, outcome, ordinality)`,
    [
      jobId,
      before,
      kept.map((item) => item.row ?? null),
      kept.map((item) => item.key ?? null),
      kept.map((item) => item.column ?? null),
      kept.map((item) => item.value?.slice(0, VALUE_LENGTH_MAX) ?? null),
      kept.map((item) => item.code),
      kept.map((item) => item.message),
      kept.map((item) => item.outcome),
    ],
  );
}
