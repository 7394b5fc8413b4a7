import type { AddressInfo } from 'node:net';
import { once } from 'node:events';
import { Redis } from 'ioredis';
import { WebSocketServer } from 'ws';
import { z } from 'zod';
import { answerCommands } from './process.ts';

/** The least that a server of live messages can be: what comes goes to every socket as it is. */

const broadcast = z.object({ message: z.string(), times: z.int() });
const relay = z.object({ redisUrl: z.string(), channel: z.string() });

const server = new WebSocketServer({
  port: 0,
  host: '127.0.0.1',
  handleProtocols: () => 'graphql-transport-ws',
});

function toAll(message: string): void {
  for (const client of server.clients) client.send(message);
}

answerCommands(async (command) => {
  switch (command['type']) {
    case 'listen': {
      if (!server.address()) await once(server, 'listening');
      const { port } = server.address() as AddressInfo;
      return `ws://127.0.0.1:${port}`;
    }
    case 'broadcast': {
      const { message, times } = broadcast.parse(command);
      for (let time = 0; time < times; time += 1) {
        toAll(message);
        // As events come: one after the other, and not all in one turn of the loop.
        await new Promise((resolve) => setImmediate(resolve));
      }
      return null;
    }
    default: {
      const { redisUrl, channel } = relay.parse(command);
      const redis = new Redis(redisUrl);
      redis.on('message', (_, message) => toAll(message));
      return redis.subscribe(channel);
    }
  }
});
