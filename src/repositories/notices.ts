import { z } from 'zod';
import {
  NOTICE_TYPES,
  NOTIFICATION_CHANNELS,
  type DigestKinds,
  type NotificationType,
} from '../domain/notice.ts';
import type { JobCounts } from '../domain/job.ts';
import type { Sql, Tx } from './db.ts';

export const digestKinds = z.record(z.string(), z.object({ failed: z.int(), warned: z.int() }));

/** A job that ended and that nobody was told of. */
export interface UntoldJob {
  readonly id: string;
  readonly organizationId: string;
  readonly kind: string;
  readonly status: 'failed' | 'completed_with_warnings';
  readonly triggeredBy: string;
  readonly errorCode: string | null;
  readonly errorMessage: string | null;
  readonly counts: JobCounts;
  readonly startedAt: Date | null;
  readonly completedAt: Date;
}

const untoldJob = z.object({
  id: z.uuid(),
  organizationId: z.uuid(),
  kind: z.string(),
  status: z.enum(['failed', 'completed_with_warnings']),
  triggeredBy: z.string(),
  errorCode: z.string().nullable(),
  errorMessage: z.string().nullable(),
  counts: z.object({
    total: z.int().nullable(),
    processed: z.int(),
    succeeded: z.int(),
    warned: z.int(),
    failed: z.int(),
  }),
  startedAt: z.date().nullable(),
  completedAt: z.date(),
});

/**
 * Takes jobs that ended badly, oldest first, and writes them down as told: the notices belong into the same
 * transaction. Children are their parent's business. Jobs that another worker has taken are passed over.
 */
export async function takeUntoldJobs(tx: Tx, limit: number): Promise<UntoldJob[]> {
  const { rows } = await tx.query(
    `WITH taken AS (
       SELECT id FROM jobs
       WHERE notified_at IS NULL AND NOT internal AND parent_id IS NULL
         AND status IN ('failed', 'completed_with_warnings')
       ORDER BY completed_at, id LIMIT $1 FOR UPDATE SKIP LOCKED
     )
     UPDATE jobs SET notified_at = now() FROM taken WHERE jobs.id = taken.id
     RETURNING jobs.id, organization_id AS "organizationId", kind, status, triggered_by AS "triggeredBy",
               error_code AS "errorCode", error_message AS "errorMessage",
               jsonb_build_object('total', count_total, 'processed', count_processed, 'succeeded', count_succeeded,
                                  'warned', count_warned, 'failed', count_failed) AS counts,
               started_at AS "startedAt", completed_at AS "completedAt"`,
    [limit],
  );
  const jobs = z.array(untoldJob).parse(rows);
  return jobs.toSorted((a, b) => a.completedAt.getTime() - b.completedAt.getTime() || (a.id < b.id ? -1 : 1));
}

/** Lets one transaction at a time count and write the notices of each organization, until it ends. */
export async function lockNotices(tx: Tx, organizationIds: readonly string[]): Promise<void> {
  // In one order, so that two of them never wait for each other.
  await tx.query(
    `SELECT pg_advisory_xact_lock(hashtextextended('notices ' || id, 0)) FROM unnest($1::text[]) AS organization (id)`,
    [organizationIds.toSorted()],
  );
}

const recipientRow = z
  .object({
    organizationId: z.uuid(),
    id: z.uuid(),
    email: z.string().nullable(),
    isAdmin: z.boolean(),
    preferences: z.array(
      z.object({
        type: z.enum(NOTICE_TYPES),
        jobKind: z.string(),
        channel: z.enum(NOTIFICATION_CHANNELS),
        enabled: z.boolean(),
      }),
    ),
    recentCount: z.int(),
    openDigest: z
      .object({ id: z.uuid(), kinds: digestKinds, inApp: z.boolean(), email: z.boolean() })
      .nullable(),
  })
  .transform(({ email, isAdmin, ...rest }) => ({
    ...rest,
    user: email === null ? null : { email, isAdmin },
  }));

export type RecipientRow = z.infer<typeof recipientRow>;

interface Window {
  readonly windowMs: number;
  readonly individualMax: number;
}

/**
 * Who may be told in these organizations: their admins, the members among `emails`, and each organization itself; with
 * what they were told lately. The open digests are locked: one that is being sent takes nothing more.
 */
export async function readRecipients(
  tx: Tx,
  organizationIds: readonly string[],
  emails: readonly string[],
  { windowMs, individualMax }: Window,
): Promise<RecipientRow[]> {
  const { rows } = await tx.query(
    `WITH recipient AS (
       SELECT m.organization_id, m.user_id AS id, u.email, m.role = 'admin' AS is_admin
       FROM memberships m JOIN users u ON u.id = m.user_id
       WHERE m.organization_id = ANY ($1::uuid[]) AND (m.role = 'admin' OR u.email = ANY ($2::text[]))
       UNION ALL
       SELECT id, id, NULL, false FROM organizations WHERE id = ANY ($1::uuid[])
     ), digest AS (
       SELECT * FROM notifications
       WHERE organization_id = ANY ($1::uuid[]) AND closes_at > now() AND sent_at IS NULL
       FOR UPDATE
     )
     SELECT r.organization_id AS "organizationId", r.id, r.email, r.is_admin AS "isAdmin",
            coalesce((SELECT jsonb_agg(jsonb_build_object('type', p.type, 'jobKind', p.job_kind, 'channel', p.channel,
                                                          'enabled', p.enabled))
                      FROM notification_preferences p
                      WHERE p.organization_id = r.organization_id AND p.user_id = r.id), '[]') AS preferences,
            (SELECT count(*)::int FROM (
               SELECT 1 FROM notifications n
               WHERE n.organization_id = r.organization_id AND n.recipient_id = r.id AND n.type <> 'digest'
                 AND n.created_at > now() - $3 * interval '1 millisecond' LIMIT $4) AS recent) AS "recentCount",
            (SELECT jsonb_build_object('id', d.id, 'kinds', d.digest_kinds, 'inApp', d.in_app, 'email', d.email)
             FROM digest d
             WHERE d.organization_id = r.organization_id AND d.recipient_id = r.id) AS "openDigest"
     FROM recipient r ORDER BY r.organization_id, r.id`,
    [organizationIds, emails, windowMs, individualMax],
  );
  return z.array(recipientRow).parse(rows);
}

/** A row of `notifications` that is to be written. */
export interface NewNotification {
  readonly id: string;
  readonly organizationId: string;
  readonly recipientId: string;
  readonly userId: string | null;
  readonly type: NotificationType;
  readonly jobId: string | null;
  readonly title: string;
  readonly body: string;
  readonly digestKinds: DigestKinds | null;
  /** Of a digest: how long it collects, in ms */
  readonly closesInMs: number | null;
  readonly inApp: boolean;
  readonly email: boolean;
}

/** Writes notices, and digests or what was added to them: a digest that grew is unread again. */
export async function writeNotifications(sql: Sql, rows: readonly NewNotification[]): Promise<void> {
  if (rows.length === 0) return;
  await sql.query(
    `INSERT INTO notifications (id, organization_id, recipient_id, user_id, type, job_id, title, body, digest_kinds,
                                closes_at, in_app, email)
     SELECT id, "organizationId", "recipientId", "userId", type, "jobId", title, body, "digestKinds",
            now() + "closesInMs" * interval '1 millisecond', "inApp", email
     FROM jsonb_to_recordset($1::jsonb) AS given
       (id uuid, "organizationId" uuid, "recipientId" uuid, "userId" uuid, type notification_type, "jobId" uuid,
        title text, body text, "digestKinds" jsonb, "closesInMs" double precision, "inApp" boolean, email boolean)
     ON CONFLICT (id) DO UPDATE SET title = excluded.title, body = excluded.body, digest_kinds = excluded.digest_kinds,
       in_app = excluded.in_app, email = excluded.email, read_at = NULL`,
    [JSON.stringify(rows)],
  );
}

const closedDigest = z.object({
  id: z.uuid(),
  organizationId: z.uuid(),
  recipientId: z.uuid(),
  userId: z.uuid().nullable(),
  kinds: digestKinds,
  email: z.boolean(),
  from: z.date(),
  to: z.date(),
});
export type ClosedDigest = z.infer<typeof closedDigest>;

/** Ends digests whose time is over: what sends them belongs into the same transaction. */
export async function closeDueDigests(tx: Tx, limit: number): Promise<ClosedDigest[]> {
  const { rows } = await tx.query(
    `WITH due AS (
       SELECT id FROM notifications WHERE closes_at <= now() AND sent_at IS NULL LIMIT $1 FOR UPDATE SKIP LOCKED
     )
     UPDATE notifications n SET sent_at = now() FROM due WHERE n.id = due.id
     RETURNING n.id, organization_id AS "organizationId", recipient_id AS "recipientId", user_id AS "userId",
               digest_kinds AS kinds, email, created_at AS "from", closes_at AS "to"`,
    [limit],
  );
  return z.array(closedDigest).parse(rows);
}

/** Removes notices that are older than `days`, at most `limit`. @returns how many */
export async function pruneNotifications(sql: Sql, limit: number, days = 30): Promise<number> {
  const { rowCount } = await sql.query(
    `DELETE FROM notifications WHERE id IN (
       SELECT id FROM notifications WHERE created_at < now() - make_interval(days => $2)
       ORDER BY created_at LIMIT $1 FOR UPDATE SKIP LOCKED)`,
    [limit, days],
  );
  return rowCount ?? 0;
}
