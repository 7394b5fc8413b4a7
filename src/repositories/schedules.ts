import { z } from 'zod';
import { JOB_PRIORITIES, type JobPriority } from '../domain/job.ts';
import type { ScheduleTiming } from '../domain/schedule.ts';
import type { Sql, Tx } from './db.ts';

const timingColumns = z.object({
  cron: z.string().nullable(),
  timeZone: z.string().nullable(),
  everySeconds: z.int().nullable(),
  onceAt: z.date().nullable(),
  anchorAt: z.date(),
});
export type TimingColumns = z.infer<typeof timingColumns>;

/** The closed union of what the columns can say; a CHECK of the table keeps them to it. */
export function timingOf({ cron, timeZone, everySeconds, onceAt, anchorAt }: TimingColumns): ScheduleTiming {
  if (cron !== null && timeZone !== null) return { type: 'cron', expression: cron, timeZone };
  if (everySeconds !== null) return { type: 'every', seconds: everySeconds, anchor: anchorAt };
  if (onceAt !== null) return { type: 'once', at: onceAt };
  throw new Error('a schedule has no timing');
}

export const scheduleRow = timingColumns
  .extend({
    id: z.uuid(),
    organizationId: z.uuid(),
    name: z.string(),
    kind: z.string(),
    version: z.int(),
    input: z.unknown(),
    priority: z.int(),
    pausedAt: z.date().nullable(),
    nextDueAt: z.date().nullable(),
  })
  .transform(({ cron, timeZone, everySeconds, onceAt, anchorAt, priority, ...rest }) => ({
    ...rest,
    priority: priorityOf(priority),
    timing: timingOf({ cron, timeZone, everySeconds, onceAt, anchorAt }),
  }));

export type Schedule = Readonly<z.output<typeof scheduleRow>>;

export function priorityOf(stored: number): JobPriority {
  if (stored === JOB_PRIORITIES.HIGH) return 'HIGH';
  return stored === JOB_PRIORITIES.LOW ? 'LOW' : 'NORMAL';
}

/** What `scheduleRow` reads. */
export const SCHEDULE_COLUMNS = `
  id, organization_id AS "organizationId", name, kind, version, input, priority, cron, time_zone AS "timeZone",
  every_seconds AS "everySeconds", once_at AS "onceAt", anchor_at AS "anchorAt", paused_at AS "pausedAt",
  next_due_at AS "nextDueAt"`;

/** What a caller says of a schedule, checked. */
export interface ScheduleContent {
  readonly name: string;
  readonly kind: string;
  readonly version: number;
  readonly input: unknown;
  readonly priority: JobPriority;
  readonly timing: ScheduleTiming;
  readonly nextDueAt: Date | null;
}

/** Makes this transaction the only one that adds or renames schedules of the organization. @returns Postgres' time */
export async function lockSchedules(tx: Tx, organizationId: string): Promise<Date> {
  const { rows } = await tx.query<{ now: Date }>(
    `SELECT now(), pg_advisory_xact_lock(hashtextextended('schedules ' || $1, 0))`,
    [organizationId],
  );
  return z.date().parse(rows[0]?.now);
}

export async function countSchedules(sql: Sql, organizationId: string): Promise<number> {
  const { rows } = await sql.query<{ count: number }>(
    'SELECT count(*)::int AS count FROM schedules WHERE organization_id = $1 AND deleted_at IS NULL',
    [organizationId],
  );
  return rows[0]?.count ?? 0;
}

/** Whether another living schedule of the organization has the name. */
export async function isNameTaken(
  sql: Sql,
  organizationId: string,
  name: string,
  exceptId: string | null,
): Promise<boolean> {
  const { rowCount } = await sql.query(
    `SELECT 1 FROM schedules
     WHERE organization_id = $1 AND name = $2 AND deleted_at IS NULL AND id IS DISTINCT FROM $3`,
    [organizationId, name, exceptId],
  );
  return rowCount !== 0;
}

const LIVING = 'organization_id = $1 AND id = $2 AND deleted_at IS NULL';

/** Null for what does not exist, was deleted, or is another organization's. */
export async function findSchedule(sql: Sql, organizationId: string, id: string): Promise<Schedule | null> {
  const { rows } = await sql.query(`SELECT ${SCHEDULE_COLUMNS} FROM schedules WHERE ${LIVING}`, [
    organizationId,
    id,
  ]);
  return rows[0] ? scheduleRow.parse(rows[0]) : null;
}

const lockedRow = scheduleRow.and(z.object({ now: z.date() }));

/** A schedule that nobody else changes or fires until the transaction ends, and the time by Postgres' clock. */
export type LockedSchedule = Readonly<z.output<typeof lockedRow>>;

/** As `findSchedule`. */
export async function lockSchedule(
  tx: Tx,
  organizationId: string,
  id: string,
): Promise<LockedSchedule | null> {
  const { rows } = await tx.query(
    `SELECT ${SCHEDULE_COLUMNS}, now() AS now FROM schedules WHERE ${LIVING} FOR UPDATE`,
    [organizationId, id],
  );
  return rows[0] ? lockedRow.parse(rows[0]) : null;
}

function contentValues({ name, kind, version, input, priority, timing, nextDueAt }: ScheduleContent) {
  return [
    name,
    kind,
    version,
    JSON.stringify(input),
    JOB_PRIORITIES[priority],
    timing.type === 'cron' ? timing.expression : null,
    timing.type === 'cron' ? timing.timeZone : null,
    timing.type === 'every' ? timing.seconds : null,
    timing.type === 'once' ? timing.at : null,
    timing.type === 'every' ? timing.anchor : null,
    nextDueAt,
  ];
}

export async function insertSchedule(
  sql: Sql,
  schedule: ScheduleContent & {
    readonly id: string;
    readonly organizationId: string;
    readonly createdBy: string;
  },
): Promise<void> {
  await sql.query(
    `INSERT INTO schedules (id, organization_id, created_by, name, kind, version, input, priority, cron, time_zone,
                            every_seconds, once_at, anchor_at, next_due_at)
     VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, coalesce($13, now()), $14)`,
    [schedule.id, schedule.organizationId, schedule.createdBy, ...contentValues(schedule)],
  );
}

/** Writes a locked schedule's new content. What went wrong before is of the old one. */
export async function updateSchedule(tx: Tx, id: string, content: ScheduleContent): Promise<void> {
  await tx.query(
    `UPDATE schedules
     SET name = $2, kind = $3, version = $4, input = $5, priority = $6, cron = $7, time_zone = $8, every_seconds = $9,
         once_at = $10, anchor_at = coalesce($11, anchor_at), next_due_at = $12, retry_at = NULL, last_error = NULL,
         updated_at = now()
     WHERE id = $1`,
    [id, ...contentValues(content)],
  );
}

export async function pauseSchedule(tx: Tx, id: string): Promise<void> {
  await tx.query(
    'UPDATE schedules SET paused_at = now(), next_due_at = NULL, retry_at = NULL, updated_at = now() WHERE id = $1',
    [id],
  );
}

export async function resumeSchedule(tx: Tx, id: string, nextDueAt: Date): Promise<void> {
  await tx.query(
    'UPDATE schedules SET paused_at = NULL, next_due_at = $2, updated_at = now() WHERE id = $1',
    [id, nextDueAt],
  );
}

/** Its jobs stay. @returns false when there is none such */
export async function deleteSchedule(sql: Sql, organizationId: string, id: string): Promise<boolean> {
  const { rowCount } = await sql.query(
    `UPDATE schedules SET deleted_at = now(), next_due_at = NULL, retry_at = NULL
     WHERE organization_id = $1 AND id = $2 AND deleted_at IS NULL`,
    [organizationId, id],
  );
  return rowCount === 1;
}

/** Forgets deleted schedules whose jobs are gone too, at most `limit`. @returns how many */
export async function pruneDeletedSchedules(sql: Sql, limit: number): Promise<number> {
  const { rowCount } = await sql.query(
    `DELETE FROM schedules
     WHERE id IN (SELECT id FROM schedules
                  WHERE deleted_at IS NOT NULL AND NOT EXISTS (SELECT 1 FROM jobs WHERE schedule_id = schedules.id)
                  LIMIT $1 FOR UPDATE SKIP LOCKED)`,
    [limit],
  );
  return rowCount ?? 0;
}
