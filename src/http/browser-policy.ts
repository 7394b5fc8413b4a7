import type { IncomingMessage, ServerResponse } from 'node:http';
import cors from 'cors';
import helmet from 'helmet';
import { toError } from '../lib/abort.ts';
import { refuse } from './reply.ts';

export interface BrowserPolicyOptions {
  /** Origins whose pages may use the API, beside our own */
  readonly corsOrigins: readonly string[];
  /** Browsers are told to come back over TLS only */
  readonly isHttps: boolean;
}

/** Sets what browsers are to keep to. @returns true when that was the whole answer */
export type BrowserPolicy = (req: IncomingMessage, res: ServerResponse) => boolean;

/** Preflights are asked again after this long; browsers have limits of their own. */
const PREFLIGHT_SECONDS = 600;
const YEAR_SECONDS = 365 * 24 * 60 * 60;

/**
 * Security headers for every answer, and CORS for the pages that may use the API. No cookies are used, so no
 * credentials are allowed: a page needs a token, and sends it itself.
 */
export function createBrowserPolicy({ corsOrigins, isHttps }: BrowserPolicyOptions): BrowserPolicy {
  const secure = helmet({
    // For answers that are no pages; pages say themselves what they need.
    contentSecurityPolicy: {
      useDefaults: false,
      directives: { defaultSrc: ["'none'"], frameAncestors: ["'none'"] },
    },
    frameguard: { action: 'deny' },
    strictTransportSecurity: isHttps && { maxAge: YEAR_SECONDS },
  });
  const share = cors({
    origin: [...corsOrigins],
    methods: ['GET', 'HEAD', 'POST', 'PUT', 'DELETE'],
    allowedHeaders: [
      'accept',
      'authorization',
      'content-type',
      'x-graphql-event-stream-token',
      'x-graphql-yoga-csrf',
      'x-organization',
    ],
    exposedHeaders: ['ratelimit', 'ratelimit-policy', 'retry-after', 'x-request-id'],
    maxAge: PREFLIGHT_SECONDS,
  });

  return (req, res) => {
    secure(req, res, failed);
    const { origin } = req.headers;
    if (origin === undefined) return false;
    const isPreflight = req.method === 'OPTIONS' && 'access-control-request-method' in req.headers;
    if (isPreflight && !corsOrigins.includes(origin)) {
      refuse(req, res, {
        status: 403,
        code: 'ORIGIN_NOT_ALLOWED',
        message: 'Pages of this origin may not use the API. CORS_ORIGINS lists those that may.',
      });
      return true;
    }
    share(req, res, failed);
    return isPreflight;
  };
}

/** Both are told constant options: what they call this with is a defect. */
function failed(error?: unknown): void {
  if (error !== undefined) throw toError(error);
}
