import { createRemoteJWKSet, errors, jwtVerify, type JWTPayload } from 'jose';
import type { IdentityProviderConfig } from '../domain/identity-provider.ts';
import { newUuid, uuidOf } from '../domain/ids.ts';
import type { Clock } from '../lib/clock.ts';
import { LruMap } from '../lib/lru-map.ts';
import type { Sql } from '../repositories/db.ts';
import { listIdentities, writeIdentities, type IdentityRow } from '../repositories/identities.ts';
import { hashToken } from '../repositories/api-keys.ts';
import {
  forbidden,
  REVOCATION_DELAY_MS,
  unauthenticated,
  type Authentication,
  type Credentials,
  type Refusal,
} from './authentication.ts';
import { readClaims, type Holder } from './claims.ts';
import { grantedTo } from './permission.ts';
import type { Principal } from './principal.ts';

interface IdentityProviderOptions {
  readonly config: IdentityProviderConfig;
  readonly sql: Sql;
  readonly clock: Clock;
}

/** Only keys of which we hold the public half: a shared secret would let every verifier sign. */
const ALGORITHMS = [
  'RS256',
  'RS384',
  'RS512',
  'PS256',
  'PS384',
  'PS512',
  'ES256',
  'ES384',
  'ES512',
  'EdDSA',
  'Ed25519',
];
const JWKS_TIMEOUT_MS = 5_000;
const REMEMBERED_MAX = 10_000;
/** Organizations of one person that are looked through */
const ORGANIZATIONS_MAX = 100;

interface Remembered {
  readonly atMs: number;
  readonly identities: Promise<Known>;
}

type Known =
  | { readonly holder: Holder; readonly expiresAt: Date; readonly identities: readonly IdentityRow[] }
  | { readonly refusal: Refusal };

/** People whom an identity provider knows: its tokens are JWTs (RFC 7519), signed with keys that it publishes (RFC 7517). */
export class IdentityProvider {
  readonly #options: IdentityProviderOptions;
  readonly #keys: ReturnType<typeof createRemoteJWKSet>;
  readonly #remembered = new LruMap<string, Remembered>({ weightMax: REMEMBERED_MAX });

  constructor(options: IdentityProviderOptions) {
    this.#options = options;
    this.#keys = createRemoteJWKSet(new URL(options.config.jwksUrl), { timeoutDuration: JWKS_TIMEOUT_MS });
  }

  /** @throws Error when the provider's keys or the database cannot be read */
  async verify(credentials: Credentials, maxAgeMs = REVOCATION_DELAY_MS): Promise<Authentication> {
    const known = await this.#know(credentials.token, maxAgeMs);
    if ('refusal' in known) return known;
    if (known.expiresAt <= this.#options.clock.now()) return unauthenticated('The token has expired.');
    const identity = choose(known.identities, credentials.organization);
    if (typeof identity === 'string') return forbidden(identity);
    return { principal: toPrincipal(identity, known.holder, known.expiresAt) };
  }

  #know(token: string, maxAgeMs: number): Promise<Known> {
    const slot = hashToken(token).toString('base64');
    const nowMs = this.#options.clock.now().getTime();
    const known = this.#remembered.get(slot);
    if (known && nowMs - known.atMs < maxAgeMs) return known.identities;
    const identities = this.#read(token);
    this.#remembered.set(slot, { atMs: nowMs, identities });
    identities.catch(() => this.#remembered.delete(slot));
    return identities;
  }

  async #read(token: string): Promise<Known> {
    const { config, sql } = this.#options;
    const checked = await this.#check(token);
    if ('refusal' in checked) return checked;
    const { payload } = checked;
    const read = readClaims(payload, config.claims);
    if ('problem' in read) return { refusal: { code: 'FORBIDDEN', message: read.problem } };
    const { holder } = read;
    const expiresAt = new Date((Number(payload.exp) + config.clockSkewSeconds) * 1_000);
    const identities = holder.organizations
      ? await writeIdentities(sql, {
          ...holder,
          newUserId: newUuid(),
          organizations: rolesIn(holder.organizations),
        })
      : await listIdentities(sql, holder.email, ORGANIZATIONS_MAX);
    return { holder, expiresAt, identities };
  }

  async #check(token: string): Promise<{ readonly payload: JWTPayload } | { readonly refusal: Refusal }> {
    const { config, clock } = this.#options;
    try {
      return await jwtVerify(token, this.#keys, {
        issuer: config.issuer,
        audience: config.audience,
        clockTolerance: config.clockSkewSeconds,
        algorithms: ALGORITHMS,
        requiredClaims: ['exp'],
        currentDate: clock.now(),
      });
    } catch (error) {
      if (error instanceof errors.JWTExpired)
        return { refusal: { code: 'UNAUTHENTICATED', message: 'The token has expired.' } };
      if (isTokensFault(error))
        return { refusal: { code: 'UNAUTHENTICATED', message: 'The token is not valid here.' } };
      throw new Error('the keys of the identity provider could not be read', { cause: error });
    }
  }
}

/** All else is the provider's or the network's. */
function isTokensFault(error: unknown): boolean {
  return (
    error instanceof errors.JWTClaimValidationFailed ||
    error instanceof errors.JWTInvalid ||
    error instanceof errors.JWSInvalid ||
    error instanceof errors.JWSSignatureVerificationFailed ||
    error instanceof errors.JWKSNoMatchingKey ||
    error instanceof errors.JWKSMultipleMatchingKeys ||
    error instanceof errors.JOSEAlgNotAllowed ||
    error instanceof errors.JOSENotSupported
  );
}

function rolesIn(organizations: NonNullable<Holder['organizations']>) {
  return [...organizations].flatMap(([name, role]) =>
    role === null ? [] : [{ name, uuid: uuidOf('organization', name), role }],
  );
}

/** The one that is meant; or, as a text, why there is none. */
function choose(identities: readonly IdentityRow[], wanted: string | null): IdentityRow | string {
  if (wanted === null) {
    const [only, ...others] = identities;
    if (!only) return 'The holder of this token is in no organization here.';
    if (others.length === 0) return only;
    return 'The holder of this token is in several organizations: name one in "X-Organization" or "connectionParams.organization".';
  }
  const uuid = uuidOf('organization', wanted);
  const found = identities.find(
    ({ organizationId, externalId }) => organizationId === uuid || externalId === wanted,
  );
  return found ?? 'The holder of this token is not in that organization.';
}

function toPrincipal(identity: IdentityRow, holder: Holder, expiresAt: Date): Principal {
  return {
    organization: {
      id: identity.organizationId,
      name: identity.organizationName,
      timeZone: identity.timeZone,
      currency: identity.currency,
    },
    userId: identity.userId,
    credential: `user:${identity.organizationId}:${identity.userId}`,
    triggeredBy: `manual:${holder.email}`,
    role: identity.role,
    permissions: grantedTo(identity.role, []),
    expiresAt,
  };
}
