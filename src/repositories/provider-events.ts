import type { Sql } from './db.ts';

/** An event that comes again later than this counts as another: no provider tries for so long. */
const KEPT_DAYS = 7;

/** What it takes to believe a provider. */
export interface ToldConnection {
  readonly id: string;
  /** Encrypted; null: nobody entered one */
  readonly webhookSecret: string | null;
  /** Encrypted */
  readonly credentials: string | null;
}

/** Whom a provider tells of; null: there is no such connection, or it is disconnected. */
export async function findToldConnection(
  sql: Sql,
  provider: string,
  id: string,
): Promise<ToldConnection | null> {
  const { rows } = await sql.query<ToldConnection>(
    `SELECT id, webhook_secret AS "webhookSecret", credentials FROM connections
     WHERE id = $1 AND provider = $2 AND disconnected_at IS NULL`,
    [id, provider],
  );
  return rows[0] ?? null;
}

/** Events of one change come together, and a sync that has just begun has read some of it: the next begins no sooner. */
const APART_SECONDS = 5;

/**
 * Notes an event and makes a sync due, both or neither. One that is paused or refused is not read because of it: it is
 * read whole once it is resumed.
 * @param isDue whether there is something to read
 * @returns false for an event that is known already: nothing changed
 */
export async function noteProviderEvent(
  sql: Sql,
  { connectionId, eventId, isDue }: { connectionId: string; eventId: string; isDue: boolean },
): Promise<boolean> {
  const { rows } = await sql.query<{ noted: boolean }>(
    `WITH noted AS (
       INSERT INTO provider_events (organization_id, connection_id, event_id)
       SELECT organization_id, id, $2 FROM connections WHERE id = $1
       ON CONFLICT DO NOTHING
       RETURNING connection_id
     ), due AS (
       UPDATE connections SET next_sync_at = least(next_sync_at,
           greatest(now(), coalesce(sync_started_at, now()) + make_interval(secs => ${APART_SECONDS})))
       WHERE id = (SELECT connection_id FROM noted) AND $3
         AND paused_at IS NULL AND refused_at IS NULL AND disconnected_at IS NULL
     )
     SELECT EXISTS (SELECT 1 FROM noted) AS noted`,
    [connectionId, eventId, isDue],
  );
  return rows[0]?.noted ?? false;
}

/** Removes at most `limit` events that are older than a week. @returns how many */
export async function pruneProviderEvents(sql: Sql, limit: number): Promise<number> {
  const { rowCount } = await sql.query(
    `DELETE FROM provider_events WHERE (connection_id, event_id) IN (
       SELECT connection_id, event_id FROM provider_events
       WHERE received_at < now() - make_interval(days => ${KEPT_DAYS}) LIMIT $1 FOR UPDATE SKIP LOCKED)`,
    [limit],
  );
  return rowCount ?? 0;
}
