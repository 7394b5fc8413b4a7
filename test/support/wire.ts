import { once } from 'node:events';
import { connect, createServer, type AddressInfo, type Socket } from 'node:net';

/** A wire between client and server that a test can cut. Bytes only: it knows neither HTTP nor WebSocket. */
export interface Wire extends AsyncDisposable {
  /** The target's `/graphql`, by way of the wire */
  readonly url: string;
  /** Connections of clients that are open */
  readonly open: number;
  /** Connections of clients that have ended */
  readonly closed: number;
  /** Cuts all that is open; new connections go through. */
  cut(): void;
}

/** @param target URL with a host and a port */
export async function openWire(target: string): Promise<Wire> {
  const { hostname, port } = new URL(target);
  const nearEnds = new Set<Socket>();
  let closed = 0;
  const server = createServer((near) => {
    const far = connect(Number(port), hostname);
    nearEnds.add(near);
    for (const socket of [near, far]) {
      socket.on('error', () => undefined);
      socket.on('close', () => {
        if (nearEnds.delete(near)) closed += 1;
        near.destroy();
        far.destroy();
      });
    }
    near.pipe(far).pipe(near);
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port: own } = server.address() as AddressInfo;
  const cut = (): void => nearEnds.forEach((socket) => socket.destroy());
  return {
    url: `http://127.0.0.1:${own}/graphql`,
    get open() {
      return nearEnds.size;
    },
    get closed() {
      return closed;
    },
    cut,
    async [Symbol.asyncDispose]() {
      server.close();
      cut();
      await once(server, 'close');
    },
  };
}
