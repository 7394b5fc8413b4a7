import { z } from 'zod';
import { NOTICE_TYPES, NOTIFICATION_CHANNELS, type NoticePreference } from '../domain/notice.ts';
import type { Sql } from './db.ts';

const preferenceRow = z.object({
  type: z.enum(NOTICE_TYPES),
  jobKind: z.string(),
  channel: z.enum(NOTIFICATION_CHANNELS),
  enabled: z.boolean(),
});

/** What a member changed of the defaults: at most one line per type, kind of job and channel. */
export async function readPreferences(
  sql: Sql,
  organizationId: string,
  userId: string,
): Promise<NoticePreference[]> {
  const { rows } = await sql.query(
    `SELECT type, job_kind AS "jobKind", channel, enabled FROM notification_preferences
     WHERE organization_id = $1 AND user_id = $2 ORDER BY type, job_kind, channel`,
    [organizationId, userId],
  );
  return z.array(preferenceRow).parse(rows);
}

/** `enabled` null: back to the default. */
export type PreferenceChange = Omit<NoticePreference, 'enabled'> & { readonly enabled: boolean | null };

/** @param changes no two of the same. @returns false when the user is no member */
export async function writePreferences(
  sql: Sql,
  organizationId: string,
  userId: string,
  changes: readonly PreferenceChange[],
): Promise<boolean> {
  const { rows } = await sql.query<{ is_member: boolean }>(
    `WITH member AS (
       SELECT 1 FROM memberships WHERE organization_id = $1 AND user_id = $2
     ), given AS (
       SELECT * FROM jsonb_to_recordset($3::jsonb) AS given
         (type notification_type, "jobKind" text, channel notification_channel, enabled boolean)
     ), removed AS (
       DELETE FROM notification_preferences p USING given
       WHERE p.organization_id = $1 AND p.user_id = $2 AND p.type = given.type AND p.job_kind = given."jobKind"
         AND p.channel = given.channel AND given.enabled IS NULL
     ), written AS (
       INSERT INTO notification_preferences (organization_id, user_id, type, job_kind, channel, enabled)
       SELECT $1, $2, type, "jobKind", channel, enabled FROM given, member WHERE enabled IS NOT NULL
       ON CONFLICT (organization_id, user_id, type, job_kind, channel) DO UPDATE SET enabled = excluded.enabled
     )
     SELECT EXISTS (SELECT 1 FROM member) AS is_member`,
    [organizationId, userId, JSON.stringify(changes)],
  );
  return rows[0]?.is_member ?? false;
}
