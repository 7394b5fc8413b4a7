import { randomBytes } from 'node:crypto';
import type { Random } from './random.ts';

const TEXT = 1;
export const CLOSE = 8;

interface FrameOptions {
  readonly opcode?: number;
  readonly isFinal?: boolean;
  readonly reserved?: number;
  readonly isMasked?: boolean;
  /** What its head says, where that is not so */
  readonly length?: number;
}

/** A client's frame, https://www.rfc-editor.org/rfc/rfc6455#section-5.2, right unless the options say otherwise. */
export function frame(payload: Buffer, options: FrameOptions = {}): Buffer {
  const { opcode = TEXT, isFinal = true, reserved = 0, isMasked = true, length = payload.length } = options;
  const first = (isFinal ? 0x80 : 0) | (reserved << 4) | opcode;
  const mask = isMasked ? 0x80 : 0;
  const head =
    length < 126
      ? Buffer.from([first, mask | length])
      : length < 65_536
        ? Buffer.from([first, mask | 126, length >> 8, length & 255])
        : Buffer.concat([Buffer.from([first, mask | 127]), bigLength(length)]);
  if (!isMasked) return Buffer.concat([head, payload]);
  const key = Buffer.from([1, 2, 3, 4]);
  return Buffer.concat([head, key, payload.map((byte, index) => byte ^ (key[index % 4] ?? 0))]);
}

function bigLength(length: number): Buffer {
  const bytes = Buffer.alloc(8);
  bytes.writeBigUInt64BE(BigInt(length));
  return bytes;
}

/** Frames that break the protocol in one way or another, or send a text in pieces. */
export function oddFrames(text: Buffer, random: Random): Buffer {
  const half = text.length >> 1;
  const [start, rest] = [text.subarray(0, half), text.subarray(half)];
  const ping = frame(Buffer.from('p'), { opcode: 9 });
  const kinds: readonly (() => Buffer)[] = [
    () => Buffer.concat([frame(start, { isFinal: false }), ping, frame(rest, { opcode: 0 })]),
    () =>
      Buffer.concat(
        [...text].map((byte, at) =>
          frame(Buffer.from([byte]), { opcode: at === 0 ? TEXT : 0, isFinal: at === text.length - 1 }),
        ),
      ),
    () => Buffer.concat([frame(start, { isFinal: false }), frame(rest)]),
    () => frame(rest, { opcode: 0 }),
    () => frame(text, { opcode: 2 }),
    () => frame(text, { opcode: 3 + random.int(5) }),
    () => frame(text, { reserved: 1 + random.int(7) }),
    () => frame(text, { isMasked: false }),
    () => frame(text, { length: text.length + 50 }),
    () => frame(Buffer.alloc(200, 'p'), { opcode: 9 }),
    () => frame(Buffer.from('p'), { opcode: 9, isFinal: false }),
    () => frame(Buffer.from('p'), { opcode: 10 }),
    () => frame(Buffer.from([0xff, 0xfe, 0xc0]), {}),
    () => frame(Buffer.from([3]), { opcode: CLOSE }),
    () => frame(Buffer.from([0, 0]), { opcode: CLOSE }),
    () => frame(Buffer.from([0x3, 0xed]), { opcode: CLOSE }),
    () => frame(Buffer.alloc(130 * 1_024, 'x')),
    () => frame(Buffer.alloc(0)),
    () => frame(text, { length: 2 ** 52 }),
    () => random.bytes(1 + random.int(40)),
  ];
  return random.pick(kinds)();
}

export interface Received {
  readonly opcode: number;
  readonly payload: Buffer;
}

/** A server's frames, which are not masked; what is incomplete is left out. */
export function readFrames(bytes: Buffer): Received[] {
  const frames: Received[] = [];
  let at = 0;
  while (at + 2 <= bytes.length) {
    const small = (bytes[at + 1] ?? 0) & 127;
    const head = small < 126 ? 2 : small === 126 ? 4 : 10;
    if (at + head > bytes.length) break;
    const length =
      small < 126
        ? small
        : small === 126
          ? bytes.readUInt16BE(at + 2)
          : Number(bytes.readBigUInt64BE(at + 2));
    if (at + head + length > bytes.length) break;
    frames.push({ opcode: (bytes[at] ?? 0) & 15, payload: bytes.subarray(at + head, at + head + length) });
    at += head + length;
  }
  return frames;
}

/** A request for a WebSocket that speaks GraphQL. */
export function handshake(host: string): string {
  const key = randomBytes(16).toString('base64');
  return [
    'GET /graphql HTTP/1.1',
    `Host: ${host}`,
    'Connection: Upgrade',
    'Upgrade: websocket',
    'Sec-WebSocket-Version: 13',
    `Sec-WebSocket-Key: ${key}`,
    'Sec-WebSocket-Protocol: graphql-transport-ws',
    '\r\n',
  ].join('\r\n');
}
