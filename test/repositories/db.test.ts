import { once } from 'node:events';
import { createServer, type AddressInfo } from 'node:net';
import { describe, expect, it } from 'vitest';
import { openDatabase } from '../../src/repositories/db.ts';
import { silentLog } from '../support/log.ts';

/** A message of the PostgreSQL protocol: https://www.postgresql.org/docs/current/protocol-message-formats.html */
function message(type: string, body: Buffer): Buffer {
  const length = Buffer.alloc(4);
  length.writeInt32BE(body.length + 4);
  return Buffer.concat([Buffer.from(type), length, body]);
}

const AUTHENTICATED = message('R', Buffer.alloc(4));
const READY = message('Z', Buffer.from('I'));
const TERMINATED = message(
  'E',
  Buffer.from('SFATAL\0C57P01\0Mterminating connection due to administrator command\0\0'),
);

describe('a database', () => {
  it('whose session ends in the packet that made it ready fails the transaction, and not the process', async () => {
    const server = createServer((socket) => {
      socket.on('error', () => undefined);
      socket.once('data', () => socket.end(Buffer.concat([AUTHENTICATED, READY, TERMINATED])));
    });
    server.listen(0, '127.0.0.1');
    await once(server, 'listening');
    const { port } = server.address() as AddressInfo;
    const db = openDatabase({
      url: `postgresql://somebody@127.0.0.1:${port}/something`,
      applicationName: 'test',
      connectionsMax: 1,
      statementTimeoutMs: 1_000,
      log: silentLog,
    });
    // An error that nobody listens for would be uncaught and fail the test run.
    await expect(db.transaction((tx) => tx.query('SELECT 1'))).rejects.toThrow();
    await db.close();
    server.close();
  });
});
