import { hash, randomBytes } from 'node:crypto';
import { newUuid } from '../domain/ids.ts';
import type { Sql, Tx } from './db.ts';

/** A live key with the organization and, where it belongs to a person, the user behind it. */
export interface ApiKeyRow {
  readonly id: string;
  readonly name: string;
  readonly role: 'viewer' | 'member' | 'admin';
  /** Permissions that it has of the role's; none: all of them */
  readonly scopes: readonly string[];
  readonly expiresAt: Date | null;
  readonly organizationId: string;
  readonly organizationName: string;
  /** Of the organization, with the identity provider */
  readonly externalId: string | null;
  readonly timeZone: string;
  readonly currency: string;
  readonly userId: string | null;
  readonly userEmail: string | null;
}

export interface NewApiKey {
  readonly organizationId: string;
  readonly userId: string | null;
  readonly name: string;
  readonly role: ApiKeyRow['role'];
  /** Default: 32 random bytes */
  readonly token?: string;
  /** Default: all that the role may */
  readonly scopes?: readonly string[];
  /** Default: never */
  readonly expiresAt?: Date | null;
  /** As `triggeredBy` of a job; default: made outside of the API */
  readonly createdBy?: string;
}

/** Live keys of one organization: each is a way in that somebody has to watch. */
export const API_KEYS_MAX = 200;
/** Of a token of ours: `mlr_` and five characters of 43, which leaves 228 bits to guess. */
const PREFIX_LENGTH = 9;

/** What is stored of a token. */
export function hashToken(token: string): Buffer {
  return hash('sha256', token, 'buffer');
}

/** The live keys behind hashes of tokens, by the hash in base64; those that are unknown, revoked or expired are not there. */
export async function findApiKeys(
  sql: Sql,
  tokenHashes: readonly Buffer[],
): Promise<ReadonlyMap<string, ApiKeyRow>> {
  const { rows } = await sql.query<ApiKeyRow & { tokenHash: Buffer }>(
    `SELECT k.token_hash AS "tokenHash", k.id, k.name, k.role, k.scopes, k.expires_at AS "expiresAt", o.id AS "organizationId",
            o.name AS "organizationName", o.external_id AS "externalId", o.time_zone AS "timeZone", o.currency, u.id AS "userId", u.email AS "userEmail"
     FROM api_keys k
     JOIN organizations o ON o.id = k.organization_id
     LEFT JOIN users u ON u.id = k.user_id
     WHERE k.token_hash = ANY ($1) AND k.revoked_at IS NULL AND (k.expires_at IS NULL OR k.expires_at > now())`,
    [tokenHashes],
  );
  return new Map(rows.map(({ tokenHash, ...key }) => [tokenHash.toString('base64'), key]));
}

/** Notes that keys were used; at most one write a minute and key, whatever the number of processes. */
export async function touchApiKey(sql: Sql, id: string): Promise<void> {
  await sql.query(
    `UPDATE api_keys SET last_used_at = now()
     WHERE id = $1 AND (last_used_at IS NULL OR last_used_at < now() - interval '1 minute')`,
    [id],
  );
}

/** Makes a key. @returns its token, which is stored nowhere */
export async function insertApiKey(sql: Sql, key: NewApiKey): Promise<{ id: string; token: string }> {
  const id = newUuid();
  const token = key.token ?? `mlr_${randomBytes(32).toString('base64url')}`;
  await sql.query(
    `INSERT INTO api_keys (id, organization_id, user_id, name, role, scopes, token_hash, prefix, expires_at, created_by)
     VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10)`,
    [
      id,
      key.organizationId,
      key.userId,
      key.name,
      key.role,
      key.scopes ?? [],
      hashToken(token),
      token.startsWith('mlr_') ? token.slice(0, PREFIX_LENGTH) : '',
      key.expiresAt ?? null,
      key.createdBy ?? null,
    ],
  );
  return { id, token };
}

/** Whether an organization may have one more key. Two that ask at once are answered one after the other. */
export async function hasRoomForApiKey(tx: Tx, organizationId: string): Promise<boolean> {
  await tx.query('SELECT 1 FROM organizations WHERE id = $1 FOR NO KEY UPDATE', [organizationId]);
  const { rows } = await tx.query<{ live: number }>(
    `SELECT count(*)::int AS live FROM api_keys
     WHERE organization_id = $1 AND revoked_at IS NULL AND (expires_at IS NULL OR expires_at > now())`,
    [organizationId],
  );
  return (rows[0]?.live ?? 0) < API_KEYS_MAX;
}

/**
 * From the next look-up on, the key opens nothing. One that was revoked before stays as it is.
 * @returns false when the organization has no such key
 */
export async function revokeApiKey(
  sql: Sql,
  { organizationId, id, revokedBy }: { organizationId: string; id: string; revokedBy: string },
): Promise<boolean> {
  const { rowCount } = await sql.query(
    `UPDATE api_keys SET revoked_at = coalesce(revoked_at, now()), revoked_by = coalesce(revoked_by, $3)
     WHERE organization_id = $1 AND id = $2`,
    [organizationId, id, revokedBy],
  );
  return rowCount === 1;
}
