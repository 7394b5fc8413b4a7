import { randomBytes } from 'node:crypto';
import type { ServerResponse } from 'node:http';
import type { Credentials } from '../../auth/authentication.ts';
import type { StreamedOperation } from './streamed-operation.ts';

/** Between two pings, in ms: proxies and readers see that somebody is there. */
const PING_EVERY_MS = 12_000;
const PING = ':\n\n';

/**
 * One event stream of one client, for all of its operations. It is reserved first and connected then, once; what its
 * operations have to say before waits with them, so that nothing is collected here.
 */
export class EventStream {
  /** Known to nobody but the client that reserved the stream, and of no use without that client's credentials */
  readonly token = randomBytes(24).toString('base64url');
  readonly organizationId: string;
  readonly operations = new Map<string, StreamedOperation>();
  readonly #credentials: Credentials;
  readonly #onClose: () => void;
  readonly #unconnected: NodeJS.Timeout;
  #res: ServerResponse | null = null;
  #isOver = false;
  #waiting: (() => void)[] = [];

  constructor(options: {
    readonly organizationId: string;
    readonly credentials: Credentials;
    /** A reservation that is not used for so long is over */
    readonly reservedMs: number;
    /** Called once, when the stream is over */
    readonly onClose: () => void;
  }) {
    this.organizationId = options.organizationId;
    this.#credentials = options.credentials;
    this.#onClose = options.onClose;
    this.#unconnected = setTimeout(() => this.close(), options.reservedMs);
    this.#unconnected.unref();
  }

  get isConnected(): boolean {
    return this.#res !== null;
  }

  belongsTo({ token, organization }: Credentials): boolean {
    return this.#credentials.token === token && this.#credentials.organization === organization;
  }

  /** From now on what the operations say goes here. */
  connect(res: ServerResponse): void {
    clearTimeout(this.#unconnected);
    this.#res = res;
    res.writeHead(200, {
      'content-type': 'text/event-stream; charset=utf-8',
      // Proxies must neither collect nor compress a stream.
      'cache-control': 'no-cache, no-transform',
      'x-accel-buffering': 'no',
    });
    // Some browsers take a stream for open only with its first bytes.
    res.write(PING);
    const pinging = setInterval(() => {
      if (!res.writableNeedDrain) res.write(PING);
    }, PING_EVERY_MS);
    pinging.unref();
    res.on('drain', () => this.#wake());
    res.on('close', () => {
      clearInterval(pinging);
      this.close();
    });
    if (res.destroyed) this.close();
    else this.#wake();
  }

  /** Writes as soon as the reader has room for it. @returns false when the stream is over, and nothing was written */
  async write(event: string): Promise<boolean> {
    while (!this.#isOver) {
      if (this.#res && !this.#res.writableNeedDrain) {
        this.#res.write(event);
        return true;
      }
      await new Promise<void>((resolve) => this.#waiting.push(resolve));
    }
    return false;
  }

  /** Ends all operations and cuts the connection. */
  close(): void {
    if (this.#isOver) return;
    this.#isOver = true;
    clearTimeout(this.#unconnected);
    this.#onClose();
    [...this.operations.values()].forEach((operation) => operation.end());
    this.#res?.destroy();
    this.#wake();
  }

  #wake(): void {
    this.#waiting.splice(0).forEach((resolve) => resolve());
  }
}
