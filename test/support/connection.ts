import { newUuid } from '../../src/domain/ids.ts';
import type { Sql } from '../../src/repositories/db.ts';
import type { FactOwner } from '../../src/repositories/fact-pages.ts';

/** A connection as if it had been checked and stored; its credentials open nothing. */
export async function createConnection(
  sql: Sql,
  organizationId: string,
  { provider = 'test' } = {},
): Promise<FactOwner> {
  const connectionId = newUuid();
  await sql.query(
    `INSERT INTO connections (id, organization_id, provider, account_key, label, config, created_by)
     VALUES ($1, $2, $3, $4, 'A test account', '{}', 'api:test')`,
    [connectionId, organizationId, provider, connectionId],
  );
  return { organizationId, connectionId };
}
