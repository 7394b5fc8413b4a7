import { createHash, timingSafeEqual } from 'node:crypto';
import type { IncomingMessage, ServerResponse } from 'node:http';
import { raceAbort } from '../lib/abort.ts';
import type { Exposition } from '../telemetry/registry.ts';
import { replyJson } from './reply.ts';

interface MetricsOptions {
  /** null: there is no such address */
  readonly token: string | null;
  expose(): Promise<Exposition>;
}

const TIMEOUT_MS = 10_000;

/** `GET /metrics`, for whoever sends the token of the configuration as a bearer token. */
export function createMetricsHandler({ token, expose }: MetricsOptions) {
  const expected = token === null ? null : digest(`Bearer ${token}`);
  return async (req: IncomingMessage, res: ServerResponse): Promise<boolean> => {
    if (expected === null || req.url?.split('?', 1)[0] !== '/metrics') return false;
    if (!timingSafeEqual(digest(req.headers.authorization ?? ''), expected)) {
      const body = { code: 'UNAUTHENTICATED', message: 'Send the metrics token as a bearer token.' };
      replyJson(res, 401, body, { 'WWW-Authenticate': 'Bearer' });
      return true;
    }
    const { contentType, text } = await raceAbort(expose(), AbortSignal.timeout(TIMEOUT_MS));
    res.writeHead(200, { 'Content-Type': contentType, 'Cache-Control': 'no-store' }).end(text);
    return true;
  };
}

const digest = (text: string): Buffer => createHash('sha256').update(text).digest();
