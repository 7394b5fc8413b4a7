import { once } from 'node:events';
import { connect, createServer, type AddressInfo, type Socket } from 'node:net';

/** A TCP proxy in front of a server, whose link a test can make bad while it runs. */
export interface TcpProxy {
  /** The target's URL, by way of the proxy */
  readonly url: string;
  /** Half-open: old connections and new ones stay open, no byte passes in either direction, no FIN is sent. */
  halfOpen(): void;
  /** Cuts each connection on which the client sends something that matches, as soon as it does. */
  cutThoseThatSend(pattern: RegExp): void;
  /** The link is good again; what was open is reset, as a host does that was away. */
  restore(): void;
  close(): Promise<void>;
}

type Link =
  | { readonly type: 'good' }
  | { readonly type: 'half-open' }
  | { readonly type: 'cutting'; readonly pattern: RegExp };

/** Socket pairs of one proxy: the client's side and the target's. */
interface Pair {
  readonly client: Socket;
  readonly upstream: Socket;
}

/** @param target URL with a host and a port */
export async function startTcpProxy(target: string): Promise<TcpProxy> {
  const { hostname, port } = new URL(target);
  const pairs = new Set<Pair>();
  let link: Link = { type: 'good' };
  const reset = (pair: Pair): void => {
    pairs.delete(pair);
    pair.client.resetAndDestroy();
    pair.upstream.destroy();
  };
  const server = createServer((client) => {
    const pair = { client, upstream: connect(Number(port), hostname) };
    pairs.add(pair);
    forward(pair, client, pair.upstream, () => link, reset);
    forward(pair, pair.upstream, client, () => link, reset);
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const url = new URL(target);
  url.host = `127.0.0.1:${portOf(server.address())}`;
  return {
    url: url.href,
    halfOpen() {
      link = { type: 'half-open' };
    },
    cutThoseThatSend(pattern) {
      link = { type: 'cutting', pattern };
    },
    restore() {
      const wasHalfOpen = link.type === 'half-open';
      link = { type: 'good' };
      if (wasHalfOpen) [...pairs].forEach(reset);
    },
    async close() {
      [...pairs].forEach(reset);
      server.close();
      await once(server, 'close');
    },
  };
}

/** One direction of a pair. In a half-open link bytes and ends are lost; the sender does not hear of it. */
function forward(pair: Pair, from: Socket, to: Socket, link: () => Link, reset: (pair: Pair) => void): void {
  from.on('data', (chunk) => {
    const now = link();
    if (now.type === 'half-open') return;
    if (now.type === 'cutting' && from === pair.client && now.pattern.test(chunk.toString('latin1'))) {
      reset(pair);
      return;
    }
    if (!to.write(chunk)) {
      from.pause();
      to.once('drain', () => from.resume());
    }
  });
  from.on('error', () => undefined);
  from.on('close', () => {
    if (link().type !== 'half-open') reset(pair);
  });
}

function portOf(address: AddressInfo | string | null): number {
  if (address === null || typeof address === 'string') throw new Error('the proxy has no port');
  return address.port;
}
