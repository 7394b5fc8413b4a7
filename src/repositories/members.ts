import type { Sql, Tx } from './db.ts';

export type MemberRole = 'viewer' | 'member' | 'admin';

interface MemberRef {
  readonly organizationId: string;
  readonly userId: string;
}

/** Changes of who is in an organization come one after the other, so that they can count its admins. */
export async function lockMembers(tx: Tx, organizationId: string): Promise<void> {
  await tx.query('SELECT 1 FROM organizations WHERE id = $1 FOR NO KEY UPDATE', [organizationId]);
}

/** The person with this address; a new one if nobody has it. @param newId of the new one */
export async function findOrInsertUser(
  tx: Tx,
  { newId, email, name }: { readonly newId: string; readonly email: string; readonly name: string },
): Promise<string> {
  const { rows } = await tx.query<{ id: string }>(
    // The update changes nothing: without it, a row that is there already is not returned.
    `INSERT INTO users (id, email, name) VALUES ($1, $2, $3)
     ON CONFLICT (email) DO UPDATE SET email = excluded.email RETURNING id`,
    [newId, email, name],
  );
  const [user] = rows;
  if (!user) throw new Error('a user was neither found nor written');
  return user.id;
}

/** @returns false for one who is a member already */
export async function insertMember(
  tx: Tx,
  { organizationId, userId, role }: MemberRef & { readonly role: MemberRole },
): Promise<boolean> {
  const { rowCount } = await tx.query(
    `INSERT INTO memberships (organization_id, user_id, role) VALUES ($1, $2, $3) ON CONFLICT DO NOTHING`,
    [organizationId, userId, role],
  );
  return rowCount === 1;
}

/** What somebody is in an organization, or null; and how many other admins there are. Under `lockMembers`. */
export async function readMember(
  tx: Tx,
  { organizationId, userId }: MemberRef,
): Promise<{ readonly role: MemberRole | null; readonly otherAdmins: number }> {
  const { rows } = await tx.query<{ role: MemberRole | null; otherAdmins: number }>(
    `SELECT (SELECT role FROM memberships WHERE organization_id = $1 AND user_id = $2) AS role,
            (SELECT count(*)::int FROM memberships
             WHERE organization_id = $1 AND user_id <> $2 AND role = 'admin') AS "otherAdmins"`,
    [organizationId, userId],
  );
  return rows[0] ?? { role: null, otherAdmins: 0 };
}

export async function setMemberRole(
  sql: Sql,
  { organizationId, userId, role }: MemberRef & { readonly role: MemberRole },
): Promise<void> {
  await sql.query('UPDATE memberships SET role = $3 WHERE organization_id = $1 AND user_id = $2', [
    organizationId,
    userId,
    role,
  ]);
}

/** Takes somebody out of an organization, with the keys that act in their name. */
export async function deleteMember(
  sql: Sql,
  { organizationId, userId, removedBy }: MemberRef & { readonly removedBy: string },
): Promise<void> {
  await sql.query(
    `WITH gone AS (
       DELETE FROM memberships WHERE organization_id = $1 AND user_id = $2
     )
     UPDATE api_keys SET revoked_at = now(), revoked_by = $3
     WHERE organization_id = $1 AND user_id = $2 AND revoked_at IS NULL`,
    [organizationId, userId, removedBy],
  );
}
