import type { Sql } from './db.ts';

/** Bytes that no row has named by then are taken for left behind: longer than any upload or attempt lasts. */
const UNNAMED_HOURS = 48;
/** Whoever takes a removal has this long for it; a try that failed waits longer and longer, at most a day. */
const LEASE = `least(interval '1 day', interval '5 minutes' * 2 ^ least(tries, 20))`;

/**
 * Call it before bytes are stored: should no row come to name them, because the process died between, they go by
 * themselves. The row that names them calls it off in its own transaction (`callOff`).
 */
export async function planRemoval(sql: Sql, storageKey: string): Promise<void> {
  await sql.query(
    'INSERT INTO storage_removals (storage_key, due_at) VALUES ($1, now() + make_interval(hours => $2))',
    [storageKey, UNNAMED_HOURS],
  );
}

/** Part of the statement that writes a row over stored bytes: they stay. */
export function callOff(storageKeyParameter: `$${number}`): string {
  return `DELETE FROM storage_removals WHERE storage_key = ${storageKeyParameter}`;
}

/** Takes removals that are due, at most `limit`; one whose taker dies is due again in five minutes. */
export async function takeRemovals(sql: Sql, limit: number): Promise<string[]> {
  const { rows } = await sql.query<{ storage_key: string }>(
    `UPDATE storage_removals SET tries = tries + 1, due_at = now() + ${LEASE}
     WHERE storage_key IN (SELECT storage_key FROM storage_removals WHERE due_at <= now()
                           ORDER BY due_at LIMIT $1 FOR UPDATE SKIP LOCKED)
     RETURNING storage_key`,
    [limit],
  );
  return rows.map((row) => row.storage_key);
}

/** The bytes are gone. */
export async function forgetRemovals(sql: Sql, storageKeys: readonly string[]): Promise<void> {
  if (storageKeys.length === 0) return;
  await sql.query('DELETE FROM storage_removals WHERE storage_key = ANY($1)', [storageKeys]);
}
