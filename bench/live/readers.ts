import { WebSocket } from 'ws';
import { z } from 'zod';
import { answerCommands } from './process.ts';

/** Many readers over WebSocket: they look at a message for its length and the time in it, and do nothing else. */

const connect = z.object({
  url: z.string(),
  token: z.string(),
  readers: z.int(),
  /** Each on every socket; empty for a server that only broadcasts */
  subscriptions: z.array(z.object({ query: z.string(), variables: z.record(z.string(), z.unknown()) })),
});
const wait = z.object({ messages: z.int() });

const sockets: WebSocket[] = [];
let received = 0;
let wanted = Number.POSITIVE_INFINITY;
let onWanted = (): void => undefined;
let latencies: number[] = [];

function take(message: string): void {
  if (!message.includes('"type":"next"')) return;
  const sentAt = /@(\d+\.\d+)@/.exec(message)?.[1];
  if (sentAt) latencies.push(performance.timeOrigin + performance.now() - Number(sentAt));
  received += 1;
  if (received >= wanted) onWanted();
}

async function open(options: z.infer<typeof connect>): Promise<void> {
  const socket = new WebSocket(options.url, 'graphql-transport-ws', { perMessageDeflate: false });
  sockets.push(socket);
  await new Promise((resolve, reject) => {
    socket.once('open', resolve);
    socket.once('error', reject);
  });
  socket.on('message', (data: Buffer) => take(data.toString('latin1')));
  if (options.subscriptions.length === 0) return;
  const acknowledged = new Promise((resolve) => socket.once('message', resolve));
  socket.send(JSON.stringify({ type: 'connection_init', payload: { token: options.token } }));
  await acknowledged;
  options.subscriptions.forEach((payload, index) =>
    socket.send(JSON.stringify({ id: `operation-${index}`, type: 'subscribe', payload })),
  );
}

async function openAll(options: z.infer<typeof connect>): Promise<void> {
  for (let from = 0; from < options.readers; from += 50) {
    const some = Array.from({ length: Math.min(50, options.readers - from) }, () => open(options));
    await Promise.all(some);
  }
}

async function until(messages: number): Promise<void> {
  if (received >= messages) return;
  wanted = messages;
  await new Promise<void>((resolve) => (onWanted = resolve));
  wanted = Number.POSITIVE_INFINITY;
}

answerCommands(async (command) => {
  switch (command['type']) {
    case 'connect':
      return openAll(connect.parse(command));
    case 'forget':
      received = 0;
      latencies = [];
      return null;
    case 'wait':
      return until(wait.parse(command).messages);
    case 'latencies':
      return latencies;
    default:
      sockets.splice(0).forEach((socket) => socket.terminate());
      return null;
  }
});
