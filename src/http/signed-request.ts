import type { IncomingMessage } from 'node:http';
import { uuidOf, type IdType } from '../domain/ids.ts';
import { systemClock } from '../lib/clock.ts';
import type { UrlClaims } from '../secrets/index.ts';
import type { FileRouteDeps } from './deps.ts';
import type { Refusal } from './reply.ts';

/** What a signed URL names, once its signature was found right. */
export interface SignedTarget {
  readonly id: string;
  readonly organizationId: string;
}

/** Path and query of a request; null for what is no path of this server. */
export function urlOf(req: IncomingMessage): URL | null {
  const base = 'http://localhost';
  return URL.canParse(req.url ?? '', base) ? new URL(req.url ?? '', base) : null;
}

/** @returns what the URL allows, or why it does not */
export function verifySigned(
  { signer, clock = systemClock }: FileRouteDeps,
  url: URL,
  type: IdType,
  claims: Omit<UrlClaims, 'organizationId'>,
): SignedTarget | Refusal {
  const verification = signer.verify(url.pathname, url.searchParams, claims, clock.now());
  switch (verification.type) {
    case 'invalid':
      return {
        status: 403,
        code: 'INVALID_SIGNATURE',
        message: 'This link is not valid. Ask for a new one.',
      };
    case 'expired':
      return {
        status: 403,
        code: 'EXPIRED',
        message: `This link expired at ${verification.expiredAt.toISOString()}. Ask for a new one.`,
      };
    case 'valid': {
      const id = uuidOf(type, url.pathname.split('/').at(-1) ?? '');
      return id ? { id, organizationId: verification.organizationId } : notFound(type);
    }
  }
}

export function notFound(type: IdType): Refusal {
  return { status: 404, code: 'NOT_FOUND', message: `There is no such ${type}, or it is gone.` };
}
