import { createHmac, timingSafeEqual } from 'node:crypto';
import { z } from 'zod';
import { toPublicId, uuidOf } from '../domain/ids.ts';
import type { MasterSecret } from './master-secret.ts';

/** What a signed URL allows, besides its path. None of it can be exchanged for another. */
export interface UrlClaims {
  /** "upload", "file": a URL for one is none for the other */
  readonly purpose: string;
  /** GET covers HEAD */
  readonly method: 'GET' | 'PUT';
  /** uuid */
  readonly organizationId: string;
}

export type Verification =
  | { readonly type: 'valid'; readonly organizationId: string; readonly expiresAt: Date }
  | { readonly type: 'expired'; readonly expiredAt: Date }
  | { readonly type: 'invalid' };

export interface UrlSigner {
  /** @param path absolute, without a query. @returns the path with the query that allows its use, to the second */
  sign(path: string, claims: UrlClaims, expiresAt: Date): string;
  /** @param query of the request. "expired" is only said of a signature that was right once */
  verify(
    path: string,
    query: URLSearchParams,
    allowed: Omit<UrlClaims, 'organizationId'>,
    now: Date,
  ): Verification;
}

/** Nothing beside it: what is not signed is not there. */
const signedQuery = z.strictObject({
  organization: z.string().max(100),
  expires: z.string().regex(/^\d{1,12}$/),
  signature: z.string().regex(/^[\w-]{43}$/),
});

/** HMAC-SHA-256 over purpose, method, path, organization and expiry. */
export function openSigner(secret: MasterSecret): UrlSigner {
  const key = secret.deriveKey('signed-url');
  const signatureOf = (...parts: readonly string[]): string =>
    createHmac('sha256', key).update(JSON.stringify(parts)).digest('base64url');
  return {
    sign(path, { purpose, method, organizationId }, expiresAt) {
      const organization = toPublicId('organization', organizationId);
      const expires = String(Math.floor(expiresAt.getTime() / 1000));
      const signature = signatureOf(purpose, method, path, organization, expires);
      return `${path}?${new URLSearchParams({ organization, expires, signature }).toString()}`;
    },
    verify(path, query, { purpose, method }, now) {
      const given = signedQuery.safeParse(Object.fromEntries(query));
      // Of a name that is there twice, the last would count.
      if (!given.success || query.size !== Object.keys(given.data).length) return { type: 'invalid' };
      const { organization, expires, signature } = given.data;
      const organizationId = uuidOf('organization', organization);
      const expected = signatureOf(purpose, method, path, organization, expires);
      if (!organizationId || !equal(expected, signature)) return { type: 'invalid' };
      const expiresAt = new Date(Number(expires) * 1000);
      return now < expiresAt
        ? { type: 'valid', organizationId, expiresAt }
        : { type: 'expired', expiredAt: expiresAt };
    },
  };
}

function equal(expected: string, given: string): boolean {
  const [left, right] = [Buffer.from(expected), Buffer.from(given)];
  return left.byteLength === right.byteLength && timingSafeEqual(left, right);
}
