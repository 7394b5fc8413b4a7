import type { Sql, Tx } from './db.ts';

/** Columns whose values are encrypted: a ciphertext is bound to its place. */
export const CONNECTION_SECRETS = {
  table: 'connections',
  credentials: 'credentials',
  webhookSecret: 'webhook_secret',
};

/** An organization has so many at most, those that are disconnected not counted. */
export const CONNECTIONS_MAX = 200;

/** What a provider says of an account, and how it is to be read. */
export interface AccountRow {
  readonly provider: string;
  readonly accountKey: string;
  readonly label: string;
  readonly config: unknown;
  /** Encrypted */
  readonly credentials: string;
  readonly timeZone: string | null;
  readonly currency: string | null;
  readonly missingScopes: readonly string[];
}

export interface EntityRow {
  readonly name: string;
  readonly feeds: string | null;
}

export interface NewConnection extends AccountRow {
  readonly id: string;
  readonly organizationId: string;
  readonly createdBy: string;
  /** YYYY-MM-DD */
  readonly syncFrom: string;
  readonly entities: readonly EntityRow[];
}

/** Connections of an organization are made one after the other, until the transaction ends. */
export async function lockConnections(tx: Tx, organizationId: string): Promise<void> {
  await tx.query('SELECT pg_advisory_xact_lock(hashtextextended($1, 7))', [organizationId]);
}

export interface KnownAccount {
  readonly id: string;
  readonly label: string;
  readonly isDisconnected: boolean;
}

/** The connection of this account, the living one first; null when it never had one that is still there. */
export async function findAccount(
  tx: Tx,
  organizationId: string,
  { provider, accountKey }: Pick<AccountRow, 'provider' | 'accountKey'>,
): Promise<KnownAccount | null> {
  const { rows } = await tx.query<KnownAccount>(
    `SELECT id, label, disconnected_at IS NOT NULL AS "isDisconnected" FROM connections
     WHERE organization_id = $1 AND provider = $2 AND account_key = $3 AND NOT is_erased
     ORDER BY disconnected_at DESC NULLS FIRST LIMIT 1`,
    [organizationId, provider, accountKey],
  );
  return rows[0] ?? null;
}

export async function countConnections(tx: Tx, organizationId: string): Promise<number> {
  const { rows } = await tx.query<{ count: string }>(
    'SELECT count(*) AS count FROM connections WHERE organization_id = $1 AND disconnected_at IS NULL',
    [organizationId],
  );
  return Number(rows[0]?.count ?? 0);
}

/** Its first sync is due at once. */
export async function insertConnection(tx: Tx, connection: NewConnection): Promise<void> {
  await tx.query(
    `INSERT INTO connections (id, organization_id, provider, account_key, label, config, credentials, time_zone, currency,
                              missing_scopes, created_by, sync_from, next_sync_at)
     VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, now())`,
    [
      connection.id,
      connection.organizationId,
      connection.provider,
      connection.accountKey,
      connection.label,
      JSON.stringify(connection.config),
      connection.credentials,
      connection.timeZone,
      connection.currency,
      connection.missingScopes,
      connection.createdBy,
      connection.syncFrom,
    ],
  );
  await noteEntities(tx, connection.organizationId, connection.id, connection.entities);
}

/** A row for each; what another release read stays. */
export async function noteEntities(
  tx: Sql,
  organizationId: string,
  connectionId: string,
  entities: readonly EntityRow[],
): Promise<void> {
  await tx.query(
    `INSERT INTO connection_cursors (organization_id, connection_id, entity, feeds)
     SELECT $1, $2, name, feeds FROM unnest($3::text[], $4::text[]) AS given (name, feeds)
     ON CONFLICT (connection_id, entity) DO UPDATE SET feeds = excluded.feeds
     WHERE connection_cursors.feeds IS DISTINCT FROM excluded.feeds`,
    [organizationId, connectionId, entities.map(({ name }) => name), entities.map(({ feeds }) => feeds)],
  );
}

/**
 * New credentials for an account: what went wrong before is forgotten, and a sync is due at once, unless it is paused.
 * One that was disconnected lives again.
 * @returns false when the organization has no such connection, or its data are being deleted
 */
export async function renewConnection(
  tx: Tx,
  organizationId: string,
  id: string,
  account: Omit<AccountRow, 'provider'>,
): Promise<boolean> {
  const { rowCount } = await tx.query(
    `UPDATE connections SET account_key = $3, label = $4, config = $5, credentials = $6, time_zone = $7, currency = $8,
            missing_scopes = $9, refused_at = NULL, disconnected_at = NULL, failure_code = NULL, failure_message = NULL,
            failed_at = NULL, next_sync_at = CASE WHEN paused_at IS NULL THEN now() END
     WHERE organization_id = $1 AND id = $2 AND NOT is_erased`,
    [
      organizationId,
      id,
      account.accountKey,
      account.label,
      JSON.stringify(account.config),
      account.credentials,
      account.timeZone,
      account.currency,
      account.missingScopes,
    ],
  );
  if (rowCount !== 1) return false;
  await tx.query(
    `UPDATE connection_cursors SET failure_code = NULL, failure_message = NULL, failed_at = NULL
     WHERE connection_id = $1 AND failure_code IS NOT NULL`,
    [id],
  );
  return true;
}

/** What it takes to open a connection and to name what it is. */
export interface StoredConnection {
  readonly id: string;
  readonly organizationId: string;
  readonly provider: string;
  readonly accountKey: string;
  readonly label: string;
  readonly config: unknown;
  /** Encrypted */
  readonly credentials: string;
  readonly timeZone: string | null;
  readonly currency: string | null;
  readonly missingScopes: readonly string[];
  /** YYYY-MM-DD */
  readonly syncFrom: string;
  readonly syncEverySeconds: number;
  readonly isPaused: boolean;
  readonly isRefused: boolean;
}

/** Null when the organization has none of this id, or it is disconnected. */
export async function findConnection(
  sql: Sql,
  organizationId: string,
  id: string,
): Promise<StoredConnection | null> {
  const { rows } = await sql.query<StoredConnection>(
    `SELECT id, organization_id AS "organizationId", provider, account_key AS "accountKey", label, config, credentials,
            time_zone AS "timeZone", currency, missing_scopes AS "missingScopes",
            to_char(sync_from, 'YYYY-MM-DD') AS "syncFrom", sync_every_seconds AS "syncEverySeconds",
            paused_at IS NOT NULL AS "isPaused", refused_at IS NOT NULL AS "isRefused"
     FROM connections
     WHERE organization_id = $1 AND id = $2 AND disconnected_at IS NULL AND credentials IS NOT NULL`,
    [organizationId, id],
  );
  return rows[0] ?? null;
}

/** The ciphertext as it is now; null once it is disconnected. */
export async function readCredentials(sql: Sql, id: string): Promise<string | null> {
  const { rows } = await sql.query<{ credentials: string | null }>(
    'SELECT credentials FROM connections WHERE id = $1 AND disconnected_at IS NULL',
    [id],
  );
  return rows[0]?.credentials ?? null;
}

/** @returns false when somebody else replaced them since they were read */
export async function replaceCredentials(
  sql: Sql,
  id: string,
  { before, after }: { readonly before: string; readonly after: string },
): Promise<boolean> {
  const { rowCount } = await sql.query(
    'UPDATE connections SET credentials = $3 WHERE id = $1 AND credentials = $2 AND disconnected_at IS NULL',
    [id, before, after],
  );
  return rowCount === 1;
}

/** Nothing is read until it is resumed. @returns false when there is no such connection */
export async function pauseConnection(sql: Sql, organizationId: string, id: string): Promise<boolean> {
  const { rowCount } = await sql.query(
    `UPDATE connections SET paused_at = coalesce(paused_at, now()), next_sync_at = NULL
     WHERE organization_id = $1 AND id = $2 AND disconnected_at IS NULL`,
    [organizationId, id],
  );
  return rowCount === 1;
}

/** A sync is due at once, unless its credentials are refused. */
export async function resumeConnection(sql: Sql, organizationId: string, id: string): Promise<boolean> {
  const { rowCount } = await sql.query(
    `UPDATE connections SET
       next_sync_at = CASE WHEN refused_at IS NOT NULL THEN NULL WHEN paused_at IS NULL THEN next_sync_at ELSE now() END,
       paused_at = NULL
     WHERE organization_id = $1 AND id = $2 AND disconnected_at IS NULL`,
    [organizationId, id],
  );
  return rowCount === 1;
}

/** Its credentials are gone at once. @param erase all that was read goes too */
export async function disconnectConnection(
  sql: Sql,
  organizationId: string,
  id: string,
  erase: boolean,
): Promise<boolean> {
  const { rowCount } = await sql.query(
    `UPDATE connections SET disconnected_at = coalesce(disconnected_at, now()), next_sync_at = NULL, credentials = NULL,
            webhook_secret = NULL, is_erased = is_erased OR $3
     WHERE organization_id = $1 AND id = $2 AND NOT is_erased AND (disconnected_at IS NULL OR $3)`,
    [organizationId, id, erase],
  );
  return rowCount === 1;
}

export interface ConnectionChange {
  readonly syncEverySeconds?: number | undefined;
  /** Encrypted; null: none */
  readonly webhookSecret?: string | null | undefined;
}

export async function updateConnection(
  sql: Sql,
  organizationId: string,
  id: string,
  { syncEverySeconds, webhookSecret }: ConnectionChange,
): Promise<boolean> {
  const { rowCount } = await sql.query(
    `UPDATE connections SET
       sync_every_seconds = coalesce($3, sync_every_seconds),
       next_sync_at = CASE WHEN $3::int IS NULL THEN next_sync_at
                           ELSE least(next_sync_at, now() + make_interval(secs => $3)) END,
       webhook_secret = CASE WHEN $4 THEN $5 ELSE webhook_secret END
     WHERE organization_id = $1 AND id = $2 AND disconnected_at IS NULL`,
    [organizationId, id, syncEverySeconds ?? null, webhookSecret !== undefined, webhookSecret ?? null],
  );
  return rowCount === 1;
}

/** A connection whose data are not being deleted, disconnected or not. */
export async function findAnyConnection(
  sql: Sql,
  organizationId: string,
  id: string,
): Promise<{ readonly provider: string; readonly config: unknown } | null> {
  const { rows } = await sql.query<{ provider: string; config: unknown }>(
    'SELECT provider, config FROM connections WHERE organization_id = $1 AND id = $2 AND NOT is_erased',
    [organizationId, id],
  );
  return rows[0] ?? null;
}
