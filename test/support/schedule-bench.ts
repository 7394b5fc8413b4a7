import { z } from 'zod';
import type { ScheduleTimingRequest } from '../../src/domain/schedule.ts';
import { createSchedule } from '../../src/queue/schedules.ts';
import { fireDueSchedules } from '../../worker/maintenance/schedules.ts';
import type { Engine } from './engine.ts';

export const HOURLY: ScheduleTimingRequest = { every: { seconds: 3_600 } };
export const never = AbortSignal.any([]);

interface ScheduleRow {
  readonly next_due_at: Date | null;
  readonly last_due_at: Date | null;
  readonly retry_at: Date | null;
  readonly last_error: string | null;
}

/** A schedule's life without an API: made, set due, and looked at. */
export function bench(engine: Engine) {
  const { db } = engine.database;
  const organizationId = engine.organization.id;
  let made = 0;
  return {
    db,
    async create(
      options: { timing?: ScheduleTimingRequest; kind?: string; input?: unknown; name?: string } = {},
    ): Promise<string> {
      const { timing = HOURLY, kind = 'scripted', input = { script: 'ok' } } = options;
      made += 1;
      return createSchedule(
        engine.jobs,
        { organizationId, createdBy: 'manual:test' },
        {
          name: options.name ?? `schedule ${made}`,
          timing,
          job: { kind, input, path: ['input', 'job'] },
          priority: 'NORMAL',
        },
      );
    },
    target: (id: string) => ({ organizationId, id }),
    /** As if its time had come so many seconds ago. @returns the due time */
    async makeDue(id: string, secondsAgo = 0): Promise<Date> {
      const { rows } = await db.query<{ next_due_at: Date }>(
        `UPDATE schedules SET next_due_at = due.at, once_at = CASE WHEN once_at IS NOT NULL THEN due.at END
         FROM (SELECT date_trunc('second', now()) - make_interval(secs => $2) AS at) AS due
         WHERE id = $1 RETURNING next_due_at`,
        [id, secondsAgo],
      );
      return z.date().parse(rows[0]?.next_due_at);
    },
    async row(id: string): Promise<ScheduleRow> {
      const { rows } = await db.query<ScheduleRow & Record<string, unknown>>(
        'SELECT next_due_at, last_due_at, retry_at, last_error FROM schedules WHERE id = $1',
        [id],
      );
      const [row] = rows;
      if (!row) throw new Error(`no schedule ${id}`);
      return row;
    },
    async jobsOf(id: string): Promise<{ id: string; scheduled_for: Date | null; triggered_by: string }[]> {
      const { rows } = await db.query<{ id: string; scheduled_for: Date | null; triggered_by: string }>(
        'SELECT id, scheduled_for, triggered_by FROM jobs WHERE schedule_id = $1 ORDER BY id',
        [id],
      );
      return rows;
    },
    fire: () => fireDueSchedules(engine.jobs, never),
  };
}
