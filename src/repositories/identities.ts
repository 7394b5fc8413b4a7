import type { Sql } from './db.ts';
import type { MemberRole } from './members.ts';

/** A person in one of their organizations. */
export interface IdentityRow {
  readonly organizationId: string;
  readonly organizationName: string;
  readonly timeZone: string;
  readonly currency: string;
  /** With the identity provider */
  readonly externalId: string | null;
  readonly userId: string;
  readonly role: MemberRole;
}

const COLUMNS = `o.id AS "organizationId", o.name AS "organizationName", o.time_zone AS "timeZone", o.currency,
                 o.external_id AS "externalId", u.id AS "userId", m.role`;

/** The organizations that have somebody with this address as a member, at most `limit`. */
export async function listIdentities(sql: Sql, email: string, limit: number): Promise<IdentityRow[]> {
  const { rows } = await sql.query<IdentityRow>(
    `SELECT ${COLUMNS} FROM users u
     JOIN memberships m ON m.user_id = u.id
     JOIN organizations o ON o.id = m.organization_id
     WHERE u.email = $1 ORDER BY o.id LIMIT $2`,
    [email, limit],
  );
  return rows;
}

export interface ClaimedIdentity {
  /** For somebody who was never here before */
  readonly newUserId: string;
  readonly email: string;
  readonly name: string;
  /** Of each organization that the token names: the provider's name or our uuid of it, and the role there */
  readonly organizations: readonly {
    readonly name: string;
    readonly uuid: string | null;
    readonly role: MemberRole;
  }[];
}

/**
 * The organizations that a token names and we know, with its holder as a member of each: written when they were not,
 * or had another role. The token is right about both.
 */
export async function writeIdentities(sql: Sql, identity: ClaimedIdentity): Promise<IdentityRow[]> {
  const { rows } = await sql.query<IdentityRow>(
    `WITH named AS (
       SELECT DISTINCT ON (o.id) o.id, o.name, o.time_zone, o.currency, o.external_id, claimed.role
       FROM unnest($4::text[], $5::uuid[], $6::role[]) AS claimed (name, uuid, role)
       JOIN organizations o ON o.external_id = claimed.name OR o.id = claimed.uuid
       ORDER BY o.id, claimed.role DESC
     ), person AS (
       INSERT INTO users (id, email, name) SELECT $1, $2, $3 WHERE EXISTS (SELECT 1 FROM named)
       ON CONFLICT (email) DO UPDATE SET name = excluded.name WHERE users.name <> excluded.name
       RETURNING id
     ), u AS (
       SELECT id FROM person UNION SELECT id FROM users WHERE email = $2
     ), m AS (
       INSERT INTO memberships (organization_id, user_id, role) SELECT named.id, u.id, named.role FROM named, u
       ON CONFLICT (organization_id, user_id) DO UPDATE SET role = excluded.role
         WHERE memberships.role <> excluded.role
     )
     SELECT o.id AS "organizationId", o.name AS "organizationName", o.time_zone AS "timeZone", o.currency,
            o.external_id AS "externalId", u.id AS "userId", o.role
     FROM named AS o, u ORDER BY o.id`,
    [
      identity.newUserId,
      identity.email,
      identity.name,
      identity.organizations.map(({ name }) => name),
      identity.organizations.map(({ uuid }) => uuid),
      identity.organizations.map(({ role }) => role),
    ],
  );
  return rows;
}
