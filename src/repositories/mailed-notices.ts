import { z } from 'zod';
import type { Sql } from './db.ts';

const unsentMail = z.object({
  id: z.uuid(),
  title: z.string(),
  body: z.string(),
  jobId: z.uuid().nullable(),
  organizationName: z.string(),
  to: z.string(),
});
/** A notice whose mail has not gone out. */
export type UnsentMail = z.infer<typeof unsentMail>;

/** Null when it went out, is gone, or its recipient has left the organization. */
export async function findUnsentMail(sql: Sql, notificationId: string): Promise<UnsentMail | null> {
  const { rows } = await sql.query(
    `SELECT n.id, n.title, n.body, n.job_id AS "jobId", o.name AS "organizationName", u.email AS "to"
     FROM notifications n
     JOIN organizations o ON o.id = n.organization_id
     JOIN memberships m ON m.organization_id = n.organization_id AND m.user_id = n.user_id
     JOIN users u ON u.id = m.user_id
     WHERE n.id = $1 AND n.email AND n.emailed_at IS NULL`,
    [notificationId],
  );
  return rows[0] ? unsentMail.parse(rows[0]) : null;
}

export async function markMailed(sql: Sql, notificationId: string): Promise<void> {
  await sql.query('UPDATE notifications SET emailed_at = now() WHERE id = $1', [notificationId]);
}
