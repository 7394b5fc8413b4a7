import { newUuid } from '../../src/domain/ids.ts';
import type { Sql } from '../../src/repositories/db.ts';

export interface TestPerson {
  readonly id: string;
  readonly email: string;
}

/** A member of an organization, with an address of their own. */
export async function createPerson(
  sql: Sql,
  organizationId: string,
  role: 'admin' | 'member' | 'viewer',
): Promise<TestPerson> {
  const id = newUuid();
  const email = `${role}-${id}@example.com`;
  await sql.query('INSERT INTO users (id, email, name) VALUES ($1, $2, $3)', [id, email, role]);
  await sql.query('INSERT INTO memberships (organization_id, user_id, role) VALUES ($1, $2, $3)', [
    organizationId,
    id,
    role,
  ]);
  return { id, email };
}
