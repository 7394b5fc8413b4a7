import { parsePublicId } from '../domain/ids.ts';
import { Batcher } from '../lib/batcher.ts';
import type { Clock } from '../lib/clock.ts';
import type { Log } from '../lib/log.ts';
import { LruMap } from '../lib/lru-map.ts';
import { findApiKeys, hashToken, touchApiKey, type ApiKeyRow } from '../repositories/api-keys.ts';
import type { Sql } from '../repositories/db.ts';
import {
  forbidden,
  REVOCATION_DELAY_MS,
  unauthenticated,
  type Authentication,
  type Credentials,
} from './authentication.ts';
import { grantedTo } from './permission.ts';
import type { Principal } from './principal.ts';

const TOUCH_EVERY_MS = 60_000;
const REMEMBERED_MAX = 10_000;
/** Look-ups of one statement, and such statements at once */
const LOOKUPS_MAX = 500;
const LOOKUPS_AT_ONCE = 2;

export interface ApiKeyVerifierOptions {
  readonly sql: Sql;
  readonly clock: Clock;
  readonly log: Log;
}

interface Remembered {
  readonly atMs: number;
  readonly key: Promise<ApiKeyRow | null>;
}

/**
 * Looks keys up by the SHA-256 of their token and remembers the answer for a while, so that a busy client costs one
 * look-up in five seconds. Look-ups that come together are one statement.
 */
export class ApiKeyVerifier {
  readonly #options: ApiKeyVerifierOptions;
  readonly #remembered = new LruMap<string, Remembered>({ weightMax: REMEMBERED_MAX });
  readonly #touched = new LruMap<string, number>({ weightMax: REMEMBERED_MAX });
  readonly #lookups: Batcher<Buffer, ApiKeyRow | null>;

  constructor(options: ApiKeyVerifierOptions) {
    this.#options = options;
    this.#lookups = new Batcher({
      sizeMax: LOOKUPS_MAX,
      concurrency: LOOKUPS_AT_ONCE,
      isolate: false,
      run: async (hashes: readonly Buffer[]) => {
        const keys = await findApiKeys(options.sql, hashes);
        return hashes.map((hash) => keys.get(hash.toString('base64')) ?? null);
      },
    });
  }

  async verify(credentials: Credentials, maxAgeMs = REVOCATION_DELAY_MS): Promise<Authentication> {
    const key = await this.#find(credentials.token, maxAgeMs);
    if (!key || (key.expiresAt && key.expiresAt <= this.#options.clock.now()))
      return unauthenticated('This token is unknown, was revoked or has expired.');
    if (!isOf(key, credentials.organization)) return forbidden('This token opens another organization.');
    this.#touch(key.id);
    return { principal: toPrincipal(key) };
  }

  #find(token: string, maxAgeMs: number): Promise<ApiKeyRow | null> {
    const hash = hashToken(token);
    const slot = hash.toString('base64');
    const nowMs = this.#options.clock.now().getTime();
    const known = this.#remembered.get(slot);
    if (known && nowMs - known.atMs < maxAgeMs) return known.key;
    const key = this.#lookups.add(hash);
    this.#remembered.set(slot, { atMs: nowMs, key });
    key.catch(() => this.#remembered.delete(slot));
    return key;
  }

  #touch(id: string): void {
    const { sql, clock, log } = this.#options;
    const nowMs = clock.now().getTime();
    if (nowMs - (this.#touched.get(id) ?? -Infinity) < TOUCH_EVERY_MS) return;
    this.#touched.set(id, nowMs);
    touchApiKey(sql, id).catch((err: unknown) =>
      log.warn({ err, apiKey: id }, 'the use of a key was not noted'),
    );
  }
}

function isOf(key: ApiKeyRow, organization: string | null): boolean {
  if (organization === null || organization === key.externalId) return true;
  const id = parsePublicId(organization);
  return id?.type === 'organization' && id.uuid === key.organizationId;
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
    credential: `key:${key.id}`,
    triggeredBy: key.userEmail === null ? `api:${key.name}` : `manual:${key.userEmail}`,
    role: key.role,
    permissions: grantedTo(key.role, key.scopes),
    expiresAt: key.expiresAt,
  };
}
