import { randomUUID } from 'node:crypto';
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { sleep } from '../lib/abort.ts';
import type { Log } from '../lib/log.ts';
import type { BrowserPolicy } from './browser-policy.ts';
import { replyJson } from './reply.ts';

/** Answers a request, or says that it is another route's: then it has touched neither. */
export type Route = (req: IncomingMessage, res: ServerResponse, requestId: string) => Promise<boolean>;

/** Headers must be here after this long, in ms. Bodies have the limits of their routes: an upload may take hours. */
const HEADERS_TIMEOUT_MS = 15_000;
const KEEP_ALIVE_MS = 65_000;

interface HttpServerOptions {
  readonly routes: readonly Route[];
  readonly browserPolicy: BrowserPolicy;
  readonly log: Log;
}

/** A server that asks its routes in order. What a route throws is logged and answered with 500. */
export function createHttpServer({ routes, browserPolicy, log }: HttpServerOptions): Server {
  const server = createServer((req, res) => {
    const requestId = randomUUID();
    res.setHeader('x-request-id', requestId);
    if (browserPolicy(req, res)) return;
    answer(routes, req, res, requestId).catch((err: unknown) => {
      log.error({ err, requestId, path: pathOf(req) }, 'a request met a defect');
      if (res.headersSent) res.destroy();
      else
        replyJson(res, 500, {
          code: 'INTERNAL',
          message: `Something went wrong on our side. Request ${requestId}.`,
        });
    });
  });
  server.headersTimeout = HEADERS_TIMEOUT_MS;
  server.requestTimeout = 0;
  server.keepAliveTimeout = KEEP_ALIVE_MS;
  return server;
}

async function answer(
  routes: readonly Route[],
  req: IncomingMessage,
  res: ServerResponse,
  requestId: string,
): Promise<void> {
  if (!isHost(req.headers.host)) {
    replyJson(res, 400, { code: 'BAD_REQUEST', message: 'The header Host names no host.' }, CLOSE);
    req.resume();
    return;
  }
  for (const route of routes) {
    if (await route(req, res, requestId)) return;
  }
  replyJson(res, 404, { code: 'NOT_FOUND', message: 'There is nothing at this address.' });
  req.resume();
}

const CLOSE = { Connection: 'close' };

/** What follows a Host that is none is guesswork, and Yoga does not get over it. HTTP/1.0 has no such header. */
function isHost(host: string | undefined): boolean {
  return host === undefined || (URL.canParse(`http://${host}`) && !/[/\\?#@]/.test(host));
}

/** Queries may hold signatures: they do not belong into a log. */
function pathOf(req: IncomingMessage): string {
  return req.url?.split('?', 1)[0] ?? '';
}

/** Listens; port 0 picks a free one. @returns the address as a URL without a slash at the end */
export function listen(server: Server, { host, port }: { host: string; port: number }): Promise<string> {
  return new Promise((resolve, reject) => {
    server.once('error', reject);
    server.listen(port, host, () => {
      server.off('error', reject);
      resolve(urlOf(server.address()));
    });
  });
}

function urlOf(address: AddressInfo | string | null): string {
  if (address === null || typeof address === 'string') throw new Error('expected a TCP address');
  const host = address.family === 'IPv6' ? `[${address.address}]` : address.address;
  return `http://${host.replace('0.0.0.0', '127.0.0.1').replace('[::]', '[::1]')}:${address.port}`;
}

/** How a server goes away. */
export interface Farewell {
  /** Resolves when what is due has been written to the streams */
  readonly drained: Promise<void>;
  /** For requests that are under way, in ms */
  readonly graceMs: number;
}

/** A stream has this long to hand the kernel what was written to it, in ms. */
const FLUSH_MS = 1_000;

/**
 * Takes no new connections, lets what is under way finish for `graceMs`, then cuts the rest. Streams are cut once they
 * have what is due, without the end that would look like the job's: their clients come back to another process and go
 * on where they were.
 */
export async function closeServer(
  server: Server,
  streams: ReadonlySet<ServerResponse>,
  { drained, graceMs }: Farewell,
): Promise<void> {
  const closed = new Promise<void>((resolve) => server.close(() => resolve()));
  server.closeIdleConnections();
  const cut = setTimeout(() => server.closeAllConnections(), graceMs);
  await drained;
  await Promise.all([...streams].map(cutStream));
  await closed;
  clearTimeout(cut);
}

async function cutStream(stream: ServerResponse): Promise<void> {
  const late = AbortSignal.timeout(FLUSH_MS);
  while (stream.writableLength > 0 && !stream.destroyed && !late.aborted) await sleep(10, late);
  stream.destroy();
}
