import type { Sql } from './db.ts';
import { ROLLUP_TABLES } from './rollups.ts';

/** Tables with rows of a connection, those first that have most. The connection's own row goes last. */
const TABLES = ['facts', 'source_records', ...ROLLUP_TABLES, 'provider_events', 'connection_cursors'];

/**
 * Deletes at most `limit` rows of a connection whose data were to be deleted, and the connection when nothing else is left.
 * Another worker passes it by. @returns how many rows went
 */
export async function pruneErasedConnections(sql: Sql, limit: number): Promise<number> {
  const { rows } = await sql.query<{ id: string }>(
    'SELECT id FROM connections WHERE is_erased ORDER BY id LIMIT 1',
  );
  const [erased] = rows;
  if (!erased) return 0;
  for (const table of TABLES) {
    const { rowCount } = await sql.query(
      `DELETE FROM ${table} WHERE ctid = ANY (ARRAY(
         SELECT ctid FROM ${table} WHERE connection_id = $1 LIMIT $2 FOR UPDATE SKIP LOCKED))`,
      [erased.id, limit],
    );
    // A full batch tells the caller to come again.
    if (rowCount) return limit;
  }
  await sql.query('DELETE FROM connections WHERE id = $1 AND is_erased', [erased.id]);
  return limit;
}
