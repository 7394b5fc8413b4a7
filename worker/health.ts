import { once } from 'node:events';
import { createServer, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { raceAbort } from '../src/lib/abort.ts';
import type { Log } from '../src/lib/log.ts';
import type { Exposition } from '../src/telemetry/registry.ts';

interface HealthOptions {
  readonly host: string;
  /** 0 picks a free port */
  readonly port: number;
  readonly log: Log;
  /** What makes the worker useless just now; nothing: it is ready */
  notReady(signal: AbortSignal): Promise<string[]>;
  metrics(): Promise<Exposition>;
}

export interface HealthServer {
  readonly url: string;
  close(): Promise<void>;
}

const CHECK_TIMEOUT_MS = 4_000;
const METRICS_TIMEOUT_MS = 10_000;

/**
 * `/healthz`: the process turns. `/readyz`: it can work, and what keeps it from that. `/metrics`: for Prometheus. The
 * port is an internal one: nobody is asked for a token.
 */
export async function openHealthServer(options: HealthOptions): Promise<HealthServer> {
  const { host, port, log } = options;
  const server: Server = createServer((req, res) => {
    answer(options, req.url?.split('?', 1)[0] ?? '', res).catch((err: unknown) => {
      log.warn({ err }, 'the health of the worker could not be told');
      if (!res.headersSent) json(res, 503, { ok: false, reasons: ['the worker does not answer in time'] });
    });
  });
  server.listen(port, host);
  await once(server, 'listening');
  return {
    url: `http://${host}:${boundPort(server)}`,
    async close() {
      server.closeAllConnections();
      server.close();
      await once(server, 'close');
    },
  };
}

async function answer(
  { notReady, metrics, log }: HealthOptions,
  path: string,
  res: ServerResponse,
): Promise<void> {
  switch (path) {
    case '/healthz':
      return json(res, 200, { ok: true });
    case '/readyz': {
      const signal = AbortSignal.timeout(CHECK_TIMEOUT_MS);
      const reasons = await raceAbort(notReady(signal), signal);
      if (reasons.length > 0) log.warn({ reasons }, 'the worker is not ready');
      return json(res, reasons.length === 0 ? 200 : 503, { ok: reasons.length === 0, reasons });
    }
    case '/metrics': {
      const { contentType, text } = await raceAbort(metrics(), AbortSignal.timeout(METRICS_TIMEOUT_MS));
      res.writeHead(200, { 'content-type': contentType }).end(text);
      return;
    }
    default:
      return json(res, 404, { ok: false });
  }
}

function json(res: ServerResponse, status: number, body: object): void {
  res
    .writeHead(status, { 'content-type': 'application/json', 'cache-control': 'no-store' })
    .end(JSON.stringify(body));
}

function boundPort(server: Server): number {
  const address: AddressInfo | string | null = server.address();
  if (address === null || typeof address === 'string') throw new Error('the health server has no port');
  return address.port;
}
