import { z } from 'zod';
import type { Sql, Tx } from './db.ts';
import { SCHEDULE_COLUMNS, scheduleRow } from './schedules.ts';

const dueRow = scheduleRow.and(z.object({ nextDueAt: z.date(), now: z.date() }));

/** A schedule whose time has come, with the time by Postgres' clock: no worker's clock has a say in it. */
export type DueSchedule = Readonly<z.output<typeof dueRow>>;

/**
 * Takes one due schedule for this transaction; what other workers have taken is passed over. A kind or version that
 * this process does not know is left to the workers that do, as long as there are any.
 * @param known kinds and their newest versions, as this process knows them
 */
export async function lockDueSchedule(
  tx: Tx,
  known: Readonly<Record<string, number>>,
): Promise<DueSchedule | null> {
  const { rows } = await tx.query(
    `SELECT ${SCHEDULE_COLUMNS}, now() AS now FROM schedules s
     WHERE next_due_at <= now() AND (retry_at IS NULL OR retry_at <= now())
       AND (version <= ($1::jsonb ->> kind)::int
            OR NOT EXISTS (SELECT 1 FROM workers
                           WHERE beat_at > now() - interval '15 seconds' AND s.version <= (workers.kinds ->> s.kind)::int))
     ORDER BY next_due_at LIMIT 1 FOR UPDATE SKIP LOCKED`,
    [JSON.stringify(known)],
  );
  return rows[0] ? dueRow.parse(rows[0]) : null;
}

/** Whether a due time started its job before: after a clock that was set back, it may come again. */
export async function isDueTimeTaken(sql: Sql, id: string, dueAt: Date): Promise<boolean> {
  const { rowCount } = await sql.query('SELECT 1 FROM jobs WHERE schedule_id = $1 AND scheduled_for = $2', [
    id,
    dueAt,
  ]);
  return rowCount !== 0;
}

interface DealtWith {
  readonly id: string;
  readonly dueAt: Date;
  /** Null: there is nothing to come */
  readonly nextDueAt: Date | null;
  /** Why no job was started, for people; null when one was */
  readonly lastError: string | null;
}

/** Moves a locked schedule on to its next due time. */
export async function moveOn(tx: Tx, { id, dueAt, nextDueAt, lastError }: DealtWith): Promise<void> {
  await tx.query(
    'UPDATE schedules SET last_due_at = $2, next_due_at = $3, last_error = $4, retry_at = NULL WHERE id = $1',
    [id, dueAt, nextDueAt, lastError],
  );
}

/** Leaves a schedule due and lets it rest, so that it neither spins nor loses its run. */
export async function postpone(sql: Sql, id: string, seconds: number, lastError: string): Promise<void> {
  await sql.query(
    `UPDATE schedules SET retry_at = now() + make_interval(secs => $2), last_error = $3
     WHERE id = $1 AND next_due_at <= now()`,
    [id, seconds, lastError],
  );
}
