import { once } from 'node:events';
import { connect, createServer, type AddressInfo, type Socket } from 'node:net';

/** A TCP proxy in front of a broker, whose faults a test chooses. */
export interface FaultyProxy {
  /** The target's URL, by way of the proxy */
  readonly url: string;
  /** Cuts all connections and every new one. */
  down(): void;
  /** Keeps the connections and moves no byte any more, as a dead host does. */
  freeze(): void;
  up(): void;
  close(): Promise<void>;
}

/** @param target URL with a host and a port */
export async function startFaultyProxy(target: string): Promise<FaultyProxy> {
  const { hostname, port } = new URL(target);
  const sockets = new Set<Socket>();
  let state: 'up' | 'down' = 'up';
  const track = (socket: Socket): void => {
    sockets.add(socket);
    socket.on('error', () => socket.destroy());
    socket.on('close', () => sockets.delete(socket));
  };
  const server = createServer((client) => {
    if (state === 'down') return void client.destroy();
    const upstream = connect(Number(port), hostname);
    track(client);
    track(upstream);
    client.pipe(upstream).pipe(client);
    client.on('close', () => upstream.destroy());
    upstream.on('close', () => client.destroy());
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const url = new URL(target);
  url.host = `127.0.0.1:${(server.address() as AddressInfo).port}`;
  const cut = (): void => sockets.forEach((socket) => socket.destroy());
  return {
    url: url.href,
    down() {
      state = 'down';
      cut();
    },
    freeze() {
      sockets.forEach((socket) => socket.unpipe().pause());
    },
    up() {
      state = 'up';
    },
    async close() {
      cut();
      server.close();
      await once(server, 'close');
    },
  };
}
