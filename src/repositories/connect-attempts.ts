import type { Database, Sql } from './db.ts';

/** Column whose values are encrypted: a ciphertext is bound to its place. They end within minutes, so none is renewed. */
export const ATTEMPT_SECRETS = { table: 'connect_attempts', verifier: 'verifier' };

/** People of one organization who are away at providers at once. */
export const OPEN_ATTEMPTS_MAX = 20;

/** A person who is away at a provider. */
export interface ConnectAttempt {
  readonly id: string;
  readonly organizationId: string;
  readonly provider: string;
  readonly config: unknown;
  /** Encrypted; PKCE */
  readonly verifier: string;
  /** The connection that gets new credentials; null: a new one */
  readonly connectionId: string | null;
  /** As `triggeredBy` of a job */
  readonly createdBy: string;
  readonly expiresAt: Date;
}

/** @param stateHash SHA-256 of the state. @returns false when the organization has too many open ones */
export function insertAttempt(db: Database, stateHash: Buffer, attempt: ConnectAttempt): Promise<boolean> {
  return db.transaction(async (tx) => {
    // Counted one after the other: of many at once none slips through.
    await tx.query('SELECT pg_advisory_xact_lock(hashtextextended($1, 8))', [attempt.organizationId]);
    const { rowCount } = await tx.query(
      `INSERT INTO connect_attempts (state_hash, id, organization_id, provider, config, verifier, connection_id, created_by,
                                     expires_at)
       SELECT $1, $2, $3, $4, $5, $6, $7, $8, $9
       WHERE (SELECT count(*) FROM connect_attempts WHERE organization_id = $3 AND expires_at > now()) < $10`,
      [
        stateHash,
        attempt.id,
        attempt.organizationId,
        attempt.provider,
        JSON.stringify(attempt.config),
        attempt.verifier,
        attempt.connectionId,
        attempt.createdBy,
        attempt.expiresAt,
        OPEN_ATTEMPTS_MAX,
      ],
    );
    return rowCount === 1;
  });
}

export interface TakenAttempt extends ConnectAttempt {
  readonly organizationName: string;
}

/** Takes it away: a state is good for one answer, whatever comes of it. Null: there is none, or it was taken. */
export async function takeAttempt(sql: Sql, stateHash: Buffer): Promise<TakenAttempt | null> {
  const { rows } = await sql.query<TakenAttempt>(
    `DELETE FROM connect_attempts AS a USING organizations AS o
     WHERE a.state_hash = $1 AND o.id = a.organization_id
     RETURNING a.id, a.organization_id AS "organizationId", o.name AS "organizationName", a.provider, a.config,
               a.verifier, a.connection_id AS "connectionId", a.created_by AS "createdBy", a.expires_at AS "expiresAt"`,
    [stateHash],
  );
  return rows[0] ?? null;
}

/** Removes at most `limit` attempts that came to nothing. @returns how many */
export async function pruneConnectAttempts(sql: Sql, limit: number): Promise<number> {
  const { rowCount } = await sql.query(
    `DELETE FROM connect_attempts WHERE state_hash IN (
       SELECT state_hash FROM connect_attempts WHERE expires_at < now() LIMIT $1 FOR UPDATE SKIP LOCKED)`,
    [limit],
  );
  return rowCount ?? 0;
}
