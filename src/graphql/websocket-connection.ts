import type { Session } from '../auth/sessions.ts';
import type { Origin } from '../domain/activity.ts';
import type { Log } from '../lib/log.ts';
import { WebSocket, type RawData } from 'ws';

/** So many bytes wait for a reader at most before nothing more is taken from it: its pings are answered too. */
const WAITING_BYTES_MAX = 64 * 1024;

/** A close tells at most so much. */
const REASON_BYTES_MAX = 123;
/** Of a reason that is longer, as a client's own id in it may make it: so many characters never are. */
const REASON_LENGTH_MAX = 41;
/** In place of bytes: messages are text. */
const NO_MESSAGE = '';

/** One socket, which tells whoever sends how its reader fares. */
export class SocketConnection {
  /** Whose it is; null until the connection is initialised */
  session: Session | null = null;
  /** Where it was opened from */
  readonly origin: Origin;
  #onClosed: (() => void) | null = null;
  readonly #socket: WebSocket;
  /** Messages that the kernel has not taken */
  #pending = 0;
  #waiters: (() => void)[] = [];
  /** Since the last `checkAlive` the reader took or sent something */
  #isAlive = true;

  constructor(socket: WebSocket, origin: Origin, log: Log) {
    this.#socket = socket;
    this.origin = origin;
    socket.on('pong', () => (this.#isAlive = true));
    socket.on('close', () => {
      this.#release();
      this.session?.release();
      this.#onClosed?.();
    });
    // What went wrong is the other side's doing: a broken link, a message that is too large or no WebSocket at all.
    socket.on('error', (err) => log.debug({ err }, 'a socket broke'));
  }

  /**
   * Whose it is from now on; whoever went meanwhile is forgotten at once.
   * @param onClosed gives back what the socket takes up
   */
  hold(session: Session, onClosed: (() => void) | null): void {
    if (this.#socket.readyState === WebSocket.OPEN) {
      this.session = session;
      this.#onClosed = onClosed;
    } else {
      session.release();
      onClosed?.();
    }
  }

  get protocol(): string {
    return this.#socket.protocol;
  }

  /** @returns a promise when the reader is behind: it resolves when the kernel has taken all, or the socket is closed */
  send(text: string): Promise<void> | undefined {
    const socket = this.#socket;
    if (socket.readyState !== WebSocket.OPEN) return undefined;
    this.#pending += 1;
    socket.send(text, this.#onSent);
    if (socket.bufferedAmount === 0) return undefined;
    if (socket.bufferedAmount > WAITING_BYTES_MAX) socket.pause();
    return this.drained();
  }

  /** Resolves when the kernel has taken all that was sent. */
  drained(): Promise<void> {
    if (this.#pending === 0) return Promise.resolve();
    return new Promise((resolve) => this.#waiters.push(resolve));
  }

  onMessage(listener: (text: string) => void): void {
    this.#socket.on('message', (data: RawData, isBinary) => {
      this.#isAlive = true;
      // What comes behind the message for which the socket is being closed has no effect.
      if (this.#socket.readyState !== WebSocket.OPEN) return;
      listener(Buffer.isBuffer(data) && !isBinary ? data.toString() : NO_MESSAGE);
    });
  }

  onClose(listener: (code: number, reason: string) => void): void {
    this.#socket.once('close', (code, reason) => listener(code, reason.toString()));
  }

  close(code?: number, reason?: string): void {
    this.#socket.close(code, reason === undefined ? reason : fitting(reason));
  }

  terminate(): void {
    this.#socket.terminate();
  }

  /** Asks for a sign of life; a socket that has given none since the last time is cut. */
  checkAlive(): void {
    if (this.#socket.readyState !== WebSocket.OPEN) return;
    if (!this.#isAlive) {
      this.terminate();
      return;
    }
    this.#isAlive = false;
    this.#socket.ping();
  }

  readonly #onSent = (): void => {
    this.#pending -= 1;
    if (this.#waiters.length === 0) return;
    this.#isAlive = true;
    if (this.#pending === 0) this.#release();
  };

  #release(): void {
    if (this.#socket.isPaused) this.#socket.resume();
    this.#waiters.splice(0).forEach((resolve) => resolve());
  }
}

function fitting(reason: string): string {
  return Buffer.byteLength(reason) <= REASON_BYTES_MAX ? reason : reason.slice(0, REASON_LENGTH_MAX);
}
