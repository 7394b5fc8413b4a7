import type { IncomingMessage, OutgoingHttpHeaders, ServerResponse } from 'node:http';

/** A client that still sends after it was refused may go on for so long, so that it gets to read the answer. */
const LINGER_MS = 2_000;

/** Body of every refusal by the routes besides GraphQL. */
export interface Refusal {
  readonly status: number;
  /** SCREAMING_SNAKE, stable */
  readonly code: string;
  /** For people */
  readonly message: string;
  readonly headers?: OutgoingHttpHeaders;
}

export function replyJson(
  res: ServerResponse,
  status: number,
  body: unknown,
  headers: OutgoingHttpHeaders = {},
): void {
  if (writeJson(res, status, body, headers)) res.end();
}

/**
 * Says no. While the client still sends, the answer is out but not ended: what comes is read and thrown away for two
 * seconds at most, then the connection is closed. Closed at once, the client would see a reset instead of the answer.
 */
export function refuse(req: IncomingMessage, res: ServerResponse, refusal: Refusal): void {
  const { status, code, message, headers } = refusal;
  if (req.complete) {
    replyJson(res, status, { code, message }, headers);
    return;
  }
  if (!writeJson(res, status, { code, message }, { ...headers, Connection: 'close' })) return;
  const end = (): void => {
    clearTimeout(patience);
    res.end();
  };
  const patience = setTimeout(end, LINGER_MS);
  req.once('end', end);
  req.once('close', end);
  req.on('error', end);
  req.resume();
}

/** @returns false when nobody can be answered any more */
function writeJson(
  res: ServerResponse,
  status: number,
  body: unknown,
  headers: OutgoingHttpHeaders,
): boolean {
  if (res.headersSent || res.destroyed) return false;
  const json = JSON.stringify(body);
  res.writeHead(status, {
    'Content-Type': 'application/json; charset=utf-8',
    'Content-Length': Buffer.byteLength(json),
    'Cache-Control': 'no-store',
    'X-Content-Type-Options': 'nosniff',
    ...headers,
  });
  if (res.req.method === 'HEAD') res.flushHeaders();
  else res.write(json);
  return true;
}
