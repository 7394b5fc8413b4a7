import type { Clock } from '../lib/clock.ts';
import type { Log } from '../lib/log.ts';
import { LruMap } from '../lib/lru-map.ts';
import { findApiKey, hashToken, touchApiKey, type ApiKeyRow } from '../repositories/api-keys.ts';
import type { Sql } from '../repositories/db.ts';
import type { Principal } from './principal.ts';

/** A revoked key opens nothing after this long, in ms. */
export const REVOCATION_DELAY_MS = 5_000;
const TOUCH_EVERY_MS = 60_000;
const REMEMBERED_MAX = 10_000;
const TOKEN_LENGTH_MAX = 512;

/** @returns who holds the token, or null for one that is unknown, revoked or no token at all */
export type Authenticate = (token: string | null | undefined) => Promise<Principal | null>;

interface AuthenticatorOptions {
  readonly sql: Sql;
  readonly clock: Clock;
  readonly log: Log;
}

interface Remembered {
  readonly untilMs: number;
  readonly key: Promise<ApiKeyRow | null>;
}

/**
 * Looks tokens up by their SHA-256 and remembers the answer for REVOCATION_DELAY_MS, so that a busy client costs one
 * look-up in five seconds. Simultaneous requests share one look-up.
 */
export function createAuthenticator({ sql, clock, log }: AuthenticatorOptions): Authenticate {
  const remembered = new LruMap<string, Remembered>({ weightMax: REMEMBERED_MAX });
  const touched = new LruMap<string, number>({ weightMax: REMEMBERED_MAX });

  function find(token: string): Promise<ApiKeyRow | null> {
    const hash = hashToken(token);
    const slot = hash.toString('base64');
    const nowMs = clock.now().getTime();
    const known = remembered.get(slot);
    if (known && known.untilMs > nowMs) return known.key;
    const key = findApiKey(sql, hash);
    remembered.set(slot, { untilMs: nowMs + REVOCATION_DELAY_MS, key });
    key.catch(() => remembered.delete(slot));
    return key;
  }

  function touch(id: string): void {
    const nowMs = clock.now().getTime();
    if (nowMs - (touched.get(id) ?? -Infinity) < TOUCH_EVERY_MS) return;
    touched.set(id, nowMs);
    touchApiKey(sql, id).catch((err: unknown) =>
      log.warn({ err, apiKey: id }, 'the use of a key was not noted'),
    );
  }

  return async (token) => {
    if (!token || token.length > TOKEN_LENGTH_MAX) return null;
    const key = await find(token);
    if (!key) return null;
    touch(key.id);
    return toPrincipal(key);
  };
}

/** The token of an `Authorization: Bearer …` header, or null. */
export function bearerToken(header: string | null | undefined): string | null {
  return /^Bearer +(\S+) *$/i.exec(header ?? '')?.[1] ?? null;
}

function toPrincipal(key: ApiKeyRow): Principal {
  return {
    organization: {
      id: key.organizationId,
      name: key.organizationName,
      timeZone: key.timeZone,
      currency: key.currency,
    },
    userId: key.userId,
    triggeredBy: key.userEmail === null ? `api:${key.name}` : `manual:${key.userEmail}`,
    role: key.role,
  };
}
