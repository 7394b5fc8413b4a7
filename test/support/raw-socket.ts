import { WebSocket } from 'ws';
import { z } from 'zod';

/** So long at most until the server says something, in ms; longer than it waits for a connection to be initialised. */
const ANSWER_MS = 8_000;

const message = z.looseObject({
  type: z.string(),
  id: z.string().optional(),
  payload: z.unknown().optional(),
});
export type SocketMessage = z.infer<typeof message>;

export interface SocketEnd {
  readonly code: number;
  readonly reason: string;
}

/** A WebSocket that sends what a test tells it to, and knows nothing of GraphQL. */
export class RawSocket implements AsyncDisposable {
  readonly socket: WebSocket;
  readonly closed: Promise<SocketEnd>;
  /** What came and was not taken yet */
  readonly #inbox: SocketMessage[] = [];
  #wake = (): void => undefined;

  private constructor(socket: WebSocket) {
    this.socket = socket;
    socket.on('message', (data: Buffer) => {
      this.#inbox.push(message.parse(JSON.parse(data.toString())));
      this.#wake();
    });
    this.closed = new Promise((resolve) =>
      socket.once('close', (code, reason) => {
        resolve({ code, reason: reason.toString() });
        this.#wake();
      }),
    );
  }

  /** Opens a socket; the handshake alone. */
  static async open(url: string, protocols: string[] = ['graphql-transport-ws']): Promise<RawSocket> {
    const socket = new WebSocket(url.replace('http', 'ws'), protocols);
    const raw = new RawSocket(socket);
    await new Promise<void>((resolve, reject) => {
      socket.once('open', resolve);
      socket.once('error', reject);
    });
    return raw;
  }

  /** @param data text and bytes as they are, all else as JSON */
  send(data: unknown): void {
    this.socket.send(typeof data === 'string' || Buffer.isBuffer(data) ? data : JSON.stringify(data));
  }

  /** The next message that came. @throws when the socket is closed before, or nothing comes */
  async next(): Promise<SocketMessage> {
    const late = AbortSignal.timeout(ANSWER_MS);
    late.addEventListener('abort', () => this.#wake());
    for (;;) {
      const first = this.#inbox.shift();
      if (first) return first;
      if (late.aborted) throw new Error(`nothing came within ${ANSWER_MS} ms`);
      if (this.socket.readyState === WebSocket.CLOSED) {
        const { code, reason } = await this.closed;
        throw new Error(`the socket was closed with ${code} ${reason}`);
      }
      await new Promise<void>((resolve) => (this.#wake = resolve));
    }
  }

  /** Messages until the one that ends the operation, that one too; others' are left out. */
  async untilEnd(id: string): Promise<SocketMessage[]> {
    const messages: SocketMessage[] = [];
    for (;;) {
      const next = await this.next();
      if (next.id !== id) continue;
      messages.push(next);
      if (next.type !== 'next') return messages;
    }
  }

  /** All that came and was not taken. */
  get unread(): readonly SocketMessage[] {
    return this.#inbox;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.socket.terminate();
    await this.closed;
  }
}
