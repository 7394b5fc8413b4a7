import type { Sql } from '../../src/repositories/db.ts';
import type { FactOwner } from '../../src/repositories/fact-pages.ts';
import { ROLLUP_TABLES } from '../../src/repositories/rollups.ts';

/** Every rollup of a connection, in one order, without whose it is. */
export async function rollupsOf(
  sql: Sql,
  { connectionId }: Pick<FactOwner, 'connectionId'>,
): Promise<Record<string, object[]>> {
  const all = await Promise.all(
    ROLLUP_TABLES.map(async (table) => {
      const { rows } = await sql.query<{ row: object }>(
        `SELECT to_jsonb(t) - 'organization_id' - 'connection_id' AS row FROM ${table} t WHERE connection_id = $1
         ORDER BY to_jsonb(t)::text`,
        [connectionId],
      );
      return [table, rows.map(({ row }) => row)] as const;
    }),
  );
  return Object.fromEntries(all);
}
