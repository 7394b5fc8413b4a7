import type { Sql } from './db.ts';

/** Whose notices. */
export interface NoticeOwner {
  readonly organizationId: string;
  /** The user; or the organization, for its own copy */
  readonly recipientId: string;
}

/** Unread notices, counted up to `max`. */
export async function countUnread(sql: Sql, owner: NoticeOwner, max: number): Promise<number> {
  const { rows } = await sql.query<{ count: number }>(
    `SELECT count(*)::int AS count FROM (
       SELECT 1 FROM notifications
       WHERE organization_id = $1 AND recipient_id = $2 AND in_app AND read_at IS NULL LIMIT $3) AS unread`,
    [owner.organizationId, owner.recipientId, max],
  );
  return rows[0]?.count ?? 0;
}

/** Ids that are none of the owner's count for nothing. @returns how many were unread */
export async function markRead(
  sql: Sql,
  owner: NoticeOwner,
  which: { readonly ids: readonly string[] } | { readonly before: Date },
): Promise<number> {
  const [condition, value] =
    'ids' in which ? ['id = ANY ($3::uuid[])', which.ids] : ['created_at < $3', which.before];
  const { rowCount } = await sql.query(
    `UPDATE notifications SET read_at = now()
     WHERE organization_id = $1 AND recipient_id = $2 AND in_app AND read_at IS NULL AND ${condition}`,
    [owner.organizationId, owner.recipientId, value],
  );
  return rowCount ?? 0;
}
