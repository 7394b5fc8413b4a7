import { connect, type Socket } from 'node:net';

/** All that comes over a connection until it ends, is reset, is enough, or patience is over. */
export function exchange(
  { hostname, port }: URL,
  drive: (socket: Socket, received: () => Buffer) => void,
  isEnough: (received: Buffer) => boolean,
  patienceMs: number,
): Promise<Buffer> {
  return new Promise((resolve, reject) => {
    const chunks: Buffer[] = [];
    const received = (): Buffer => Buffer.concat(chunks);
    const socket = connect({ host: hostname, port: Number(port) });
    const done = (): void => {
      clearTimeout(patience);
      socket.destroy();
      resolve(received());
    };
    const patience = setTimeout(done, patienceMs);
    socket.once('connect', () => drive(socket, received));
    socket.on('data', (chunk) => {
      chunks.push(chunk);
      if (isEnough(received())) done();
    });
    socket.on('end', done);
    // A reset is what a broken message may get; that nobody listens is not.
    socket.on('error', (error) =>
      'code' in error && error.code === 'ECONNREFUSED' ? reject(error) : done(),
    );
  });
}
