import { createServer, type RequestListener, type Server } from 'node:http';
import {
  createServer as createTcpServer,
  type AddressInfo,
  type Server as TcpServer,
  type Socket,
} from 'node:net';
import type { Writable } from 'node:stream';

const closing: (() => void)[] = [];

/** Ends all that the test started, with their connections. */
export function closeForeignServers(): void {
  for (const close of closing.splice(0)) close();
}

/** Somebody else's server, on this machine. @returns its port */
export function listen(handler: RequestListener): Promise<number> {
  const server = createServer(handler);
  closing.push(() => {
    server.closeAllConnections();
    server.close();
  });
  return portOf(server);
}

/** One that answers a request with bytes, whether they are HTTP or not. @returns its port */
export function listenRaw(onRequest: (socket: Socket) => void): Promise<number> {
  const sockets = new Set<Socket>();
  const server = createTcpServer((socket) => {
    sockets.add(socket);
    socket.on('error', () => undefined);
    socket.once('data', () => onRequest(socket));
  });
  closing.push(() => {
    for (const socket of sockets) socket.destroy();
    server.close();
  });
  return portOf(server);
}

/** Writes as long as it is read. */
export function endlessly(to: Writable, bytes: Buffer): void {
  const more = (): void => {
    while (!to.destroyed && to.write(bytes));
  };
  to.on('drain', more);
  more();
}

async function portOf(server: Server | TcpServer): Promise<number> {
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return (server.address() as AddressInfo).port;
}
