import { createServer, type Server } from 'node:http';
import { once } from 'node:events';
import type { AddressInfo } from 'node:net';
import type { Log } from '../src/lib/log.ts';

interface HealthOptions {
  readonly host: string;
  /** 0 picks a free port */
  readonly port: number;
  readonly log: Log;
  /** Throws what makes the worker useless just now. */
  checkReady(signal: AbortSignal): Promise<void>;
}

export interface HealthServer {
  readonly url: string;
  close(): Promise<void>;
}

const CHECK_TIMEOUT_MS = 2_000;

/** `/healthz`: the process turns. `/readyz`: it can work. */
export async function openHealthServer({
  host,
  port,
  log,
  checkReady,
}: HealthOptions): Promise<HealthServer> {
  const server: Server = createServer((req, res) => {
    const answer = (status: number, body: object): void => {
      res.writeHead(status, { 'content-type': 'application/json' }).end(JSON.stringify(body));
    };
    if (req.url === '/healthz') return answer(200, { ok: true });
    if (req.url !== '/readyz') return answer(404, { ok: false });
    checkReady(AbortSignal.timeout(CHECK_TIMEOUT_MS)).then(
      () => answer(200, { ok: true }),
      (err: unknown) => {
        log.warn({ err }, 'the worker is not ready');
        answer(503, { ok: false });
      },
    );
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

function boundPort(server: Server): number {
  const address: AddressInfo | string | null = server.address();
  if (address === null || typeof address === 'string') throw new Error('the health server has no port');
  return address.port;
}
