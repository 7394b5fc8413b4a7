import { backoffMs, type BackoffPolicy } from '../lib/backoff.ts';
import { BoundedBuffer } from '../lib/bounded-buffer.ts';
import { toError } from '../lib/abort.ts';
import type { Log } from '../lib/log.ts';
import { systemTimer, type Timer } from '../lib/timer.ts';
import type { BusStats } from './stats.ts';
import { encodePayload, PAYLOAD_BYTES_MAX, payloadBytes, type WireMessage } from './wire.ts';

/** Between two payloads, in ms: each costs the broker a round trip, Postgres even a commit. */
const FLUSH_INTERVAL_MS = 5;
const MESSAGES_MAX = 10_000;
const RETRY: BackoffPolicy = { baseMs: 100, maxMs: 5_000 };

export interface OutboxOptions {
  /** Hands one payload to the broker; has a time limit of its own. */
  readonly send: (payload: string) => Promise<void>;
  readonly log: Log;
  readonly stats: BusStats;
  readonly timer?: Timer;
  /** In one payload; default 7,000, and no less */
  readonly payloadBytesMax?: number;
  /** Default 10,000 */
  readonly messagesMax?: number;
}

/**
 * What waits to be published: in order, one payload under way at a time, many messages in each. Full, it drops the
 * oldest; a payload that the broker does not take is dropped too. Either way the next one tells its receivers of a gap.
 */
export class Outbox {
  readonly #options: OutboxOptions;
  readonly #timer: Timer;
  readonly #buffer: BoundedBuffer<WireMessage>;
  #cancelTimer: (() => void) | null = null;
  #sending = false;
  #failures = 0;
  #lost = false;
  #notBefore = 0;
  /** When the buffer's oldest message came, or a moment before */
  #oldestAt = 0;
  #flushed: (() => void)[] = [];

  constructor(options: OutboxOptions) {
    this.#options = options;
    this.#timer = options.timer ?? systemTimer;
    this.#buffer = new BoundedBuffer(options.messagesMax ?? MESSAGES_MAX);
  }

  add(message: WireMessage): void {
    if (this.#buffer.size === 0) this.#oldestAt = this.#timer.now();
    this.#lose(this.#buffer.push(message));
    this.#schedule(Math.max(0, this.#notBefore - this.#timer.now()));
  }

  /** Counts messages that cannot be sent and tells the receivers with the next payload. */
  lose(): void {
    this.#lose(1);
  }

  /** Resolves when the outbox is empty, or the broker has refused a payload. */
  flush(): Promise<void> {
    if (this.#buffer.size === 0 && !this.#sending) return Promise.resolve();
    return new Promise((resolve) => {
      this.#flushed.push(resolve);
      this.#cancel();
      this.#schedule(0);
    });
  }

  close(): void {
    this.#cancel();
    this.#buffer.clear();
    this.#settle();
  }

  #schedule(delayMs: number): void {
    if (this.#sending || this.#cancelTimer) return;
    this.#cancelTimer = this.#timer.after(delayMs, () => {
      this.#cancelTimer = null;
      void this.#sendOne();
    });
  }

  async #sendOne(): Promise<void> {
    const messages = this.#take();
    if (messages.length === 0) {
      this.#settle();
      return;
    }
    const gap = this.#lost;
    this.#lost = false;
    const oldestAt = this.#oldestAt;
    this.#oldestAt = this.#timer.now();
    this.#sending = true;
    const failed = await this.#options.send(encodePayload(messages, gap)).then(() => null, toError);
    this.#sending = false;
    if (failed) this.#refused(failed, messages.length);
    else this.#delivered(oldestAt);
    const pauseMs = failed ? backoffMs(RETRY, this.#failures) : FLUSH_INTERVAL_MS;
    this.#notBefore = this.#timer.now() + pauseMs;
    if (failed || this.#buffer.size === 0) this.#settle();
    if (this.#buffer.size > 0) this.#schedule(pauseMs);
  }

  #delivered(oldestAt: number): void {
    this.#failures = 0;
    this.#options.stats.publishLagMs = this.#timer.now() - oldestAt;
  }

  #take(): WireMessage[] {
    const max = this.#options.payloadBytesMax ?? PAYLOAD_BYTES_MAX;
    const messages: WireMessage[] = [];
    let bytes = 0;
    for (let next = this.#buffer.peek(); next; next = this.#buffer.peek()) {
      if (payloadBytes(messages.length + 1, bytes + next.bytes) > max) break;
      bytes += next.bytes;
      messages.push(next);
      this.#buffer.shift();
    }
    return messages;
  }

  #refused(error: Error, messages: number): void {
    this.#failures += 1;
    this.#options.stats.failed += 1;
    this.#lose(messages);
    if (this.#failures === 1) this.#options.log.warn({ err: error }, 'the event bus could not publish');
  }

  #lose(messages: number): void {
    if (messages === 0) return;
    this.#options.stats.dropped += messages;
    this.#lost = true;
  }

  #settle(): void {
    const flushed = this.#flushed;
    this.#flushed = [];
    flushed.forEach((resolve) => resolve());
  }

  #cancel(): void {
    this.#cancelTimer?.();
    this.#cancelTimer = null;
  }
}
