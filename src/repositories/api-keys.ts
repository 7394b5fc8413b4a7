import { createHash, randomBytes } from 'node:crypto';
import { newUuid } from '../domain/ids.ts';
import type { Sql } from './db.ts';

/** A live key with the organization and, where it belongs to a person, the user behind it. */
export interface ApiKeyRow {
  readonly id: string;
  readonly name: string;
  readonly role: 'viewer' | 'member' | 'admin';
  readonly organizationId: string;
  readonly organizationName: string;
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
}

/** What is stored of a token. */
export function hashToken(token: string): Buffer {
  return createHash('sha256').update(token).digest();
}

/** The key behind a token's hash, or null for one that is unknown or revoked. */
export async function findApiKey(sql: Sql, tokenHash: Buffer): Promise<ApiKeyRow | null> {
  const { rows } = await sql.query<ApiKeyRow>(
    `SELECT k.id, k.name, k.role, o.id AS "organizationId", o.name AS "organizationName", o.time_zone AS "timeZone",
            o.currency, u.id AS "userId", u.email AS "userEmail"
     FROM api_keys k
     JOIN organizations o ON o.id = k.organization_id
     LEFT JOIN users u ON u.id = k.user_id
     WHERE k.token_hash = $1 AND k.revoked_at IS NULL`,
    [tokenHash],
  );
  return rows[0] ?? null;
}

/** Notes that a key was used; at most one write a minute and key, whatever the number of processes. */
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
    `INSERT INTO api_keys (id, organization_id, user_id, name, role, token_hash) VALUES ($1, $2, $3, $4, $5, $6)`,
    [id, key.organizationId, key.userId, key.name, key.role, hashToken(token)],
  );
  return { id, token };
}

/** From the next look-up on, the key opens nothing. */
export async function revokeApiKey(sql: Sql, id: string): Promise<void> {
  await sql.query(`UPDATE api_keys SET revoked_at = now() WHERE id = $1 AND revoked_at IS NULL`, [id]);
}
