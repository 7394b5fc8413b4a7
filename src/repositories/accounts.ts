import type { Organization, User } from '../generated/prisma/client.ts';
import type { Sql } from './db.ts';
import { prepared } from './prepared.ts';

export type { Organization, User };

const ORGANIZATIONS = prepared(
  'organizations',
  `SELECT id, name, time_zone AS "timeZone", currency, created_at AS "createdAt",
          job_retention_days AS "jobRetentionDays", external_id AS "externalId", revenue_sources AS "revenueSources"
   FROM organizations WHERE id = ANY($1::uuid[])`,
);

/** Organizations by id; one that is not there is left out. */
export async function findOrganizations(
  sql: Sql,
  ids: readonly string[],
): Promise<ReadonlyMap<string, Organization>> {
  const { rows } = await sql.query<Organization>(ORGANIZATIONS, [ids]);
  return new Map(rows.map((row) => [row.id, row]));
}

const USERS = prepared(
  'users',
  'SELECT id, email, name, created_at AS "createdAt" FROM users WHERE id = ANY($1::uuid[])',
);

/** People by id; one that is not there is left out. */
export async function findUsers(sql: Sql, ids: readonly string[]): Promise<ReadonlyMap<string, User>> {
  const { rows } = await sql.query<User>(USERS, [ids]);
  return new Map(rows.map((row) => [row.id, row]));
}
