import type { Socket } from 'node:net';
import { exchange } from './connection.ts';
import { CLOSE, frame, handshake, oddFrames, readFrames, type Received } from './frames.ts';
import { mutate } from './mutate.ts';
import type { Operation } from './operation.ts';
import type { Random } from './random.ts';
import type { Finding } from './target.ts';
import { faultsOf } from './verdict.ts';

/** What a session is made of. */
export interface SocketMeans {
  readonly url: URL;
  readonly token: string;
  generate(random: Random): Operation;
}

/** Asked last: its answer, or the end of the socket, tells that all before was dealt with. */
const LAST = '{"type":"ping","payload":{"last":1}}';
const PATIENCE_MS = 5_000;
/** https://github.com/graphql/graphql-over-http/blob/main/rfcs/GraphQLOverWebSocket.md and RFC 6455: a defect of the server */
const DEFECTS = new Set([1011, 4500]);

const INITS = [
  '{"type":"connection_init"}',
  '{"type":"connection_init","payload":null}',
  '{"type":"connection_init","payload":{"token":1}}',
  '{"type":"connection_init","payload":{"token":"x","organization":"\\u0000"}}',
  '{"type":"connection_init","payload":[]}',
];
const ODD = [
  '',
  '{',
  'null',
  '[]',
  '"subscribe"',
  '{"type":1}',
  '{"type":"__proto__"}',
  '{"type":"subscribe"}',
  '{"type":"subscribe","id":1,"payload":{"query":"{ __typename }"}}',
  '{"type":"subscribe","id":"","payload":{"query":"{ __typename }"}}',
  '{"type":"subscribe","id":"constructor","payload":{"query":"{ __typename }"}}',
  '{"type":"subscribe","id":"__proto__","payload":{"query":"{ __typename }"}}',
  '{"type":"subscribe","id":"x","payload":{"query":"{ __typename }","variables":[]}}',
  '{"type":"subscribe","id":"x","payload":{"query":"{ __typename }","operationName":5}}',
  '{"type":"subscribe","id":"x","payload":{"query":"query A { __typename } query B { __typename }"}}',
  '{"type":"subscribe","id":"x","payload":{"query":null}}',
  '{"type":"complete","id":"nothing"}',
  '{"type":"complete"}',
  '{"type":"next","id":"1","payload":{}}',
  '{"type":"connection_ack"}',
  '{"type":"pong","payload":{"a":1}}',
  '{"type":"ping","payload":"x"}',
  '{"type":"connection_init"}',
  '{"type":"stop","id":"1"}',
];

function messageOf(random: Random, { generate }: SocketMeans): string {
  const share = random.next();
  if (share < 0.2) return random.pick(ODD);
  const id = JSON.stringify(
    random.chance(0.9) ? `i${random.int(6)}` : random.pick(['', '\u0000', 'é', 'z'.repeat(300)]),
  );
  if (share < 0.3) return `{"type":"complete","id":${id}}`;
  const { query, variables } = generate(random);
  const message = `{"type":"subscribe","id":${id},"payload":{"query":${JSON.stringify(query)},"variables":${variables}}}`;
  return share < 0.45 ? mutate(message, random) : message;
}

export interface SocketSession {
  readonly finding: Finding;
  /** Messages and frames that were sent */
  readonly sent: number;
}

/** One socket with some messages on it, most of them right, and what is wrong with what came back. */
export async function runSession(random: Random, means: SocketMeans): Promise<SocketSession> {
  const init = `{"type":"connection_init","payload":{"token":${JSON.stringify(means.token)}}}`;
  const texts = [
    random.chance(0.9) ? init : random.pick(INITS),
    ...Array.from({ length: 1 + random.int(6) }, () => messageOf(random, means)),
  ];
  // Behind broken frames the server may wait for ever: they are the last that it gets.
  const isBroken = random.chance(0.25);
  const frames = texts.map((text) => frame(Buffer.from(text)));
  if (isBroken) frames.push(oddFrames(Buffer.from(texts.at(-1) ?? ''), random));
  else frames.push(frame(Buffer.from(LAST)));
  const bytes = await exchange(
    means.url,
    (socket) => sendAll(socket, frames, means.url.host, isBroken),
    (received) =>
      framesIn(received).some(({ opcode, payload }) => opcode === CLOSE || payload.includes('"last":1')),
    PATIENCE_MS,
  );
  return { sent: frames.length, finding: { faults: faultsIn(bytes), sent: texts.join('\n  ') } };
}

/** What was sent before the server agreed to speak is lost: it waits for the answer. */
function sendAll(socket: Socket, frames: readonly Buffer[], host: string, isLast: boolean): void {
  socket.once('data', () => {
    frames.forEach((each) => socket.write(each));
    if (isLast) socket.end();
  });
  socket.write(handshake(host));
}

function framesIn(received: Buffer): Received[] {
  const head = received.indexOf('\r\n\r\n');
  return head < 0 ? [] : readFrames(received.subarray(head + 4));
}

function faultsIn(bytes: Buffer): string[] {
  const head = bytes.subarray(0, 12).toString('latin1');
  if (head !== 'HTTP/1.1 101') return [`the handshake was answered with ${head}`];
  return framesIn(bytes).flatMap(({ opcode, payload }) => {
    if (opcode === CLOSE) {
      const code = payload.length >= 2 ? payload.readUInt16BE(0) : 1005;
      const text = payload.subarray(2).toString();
      return [
        ...(DEFECTS.has(code) ? [`closed with ${code} ${text}`] : []),
        ...faultsOf({ status: 200, body: text }),
      ];
    }
    return faultsOf({ status: 200, body: asAnswer(payload.toString()) });
  });
}

/** An `error` message has a list where a result has `errors`. */
function asAnswer(message: string): string {
  return message.includes('"type":"error"') ? message.replace('"payload":', '"errors":') : message;
}
