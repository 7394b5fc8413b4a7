import type { Clock } from '../lib/clock.ts';
import {
  PullIterator,
  type Closable,
  type Pulled,
  type PullReader,
  type PullSource,
} from '../lib/pull-iterator.ts';
import type { BusDelivery, EventBus } from './bus.ts';

/** Notices that wait to be told of; one more, and the reader gets a moment instead */
const WAITING_MAX = 100;
/** A broken link is noticed at the latest after this (the buses' keepalive and its time limit). */
const DETECTION_MS = 10_000;
/** For clocks that differ and transactions that commit late */
const MARGIN_MS = 5_000;

/** Notices that came; or, where hints were lost, the moment since when any may have. */
export type NoticeHint = { readonly ids: readonly string[] } | { readonly since: Date };

interface Options {
  readonly bus: EventBus;
  readonly clock: Clock;
  /** Streams that are being read now */
  readonly open: Set<Closable>;
}

/** Whose notices, in which organization. */
export interface NoticeReader {
  readonly organizationId: string;
  readonly recipientId: string;
}

/** What comes for one recipient. Never ends by itself. */
export function createNotificationStream(options: Options, reader: NoticeReader): PullIterator<NoticeHint> {
  return new PullIterator(new NotificationSource(options, reader), options.open);
}

class NotificationSource implements PullSource<NoticeHint> {
  readonly #options: Options;
  readonly #of: NoticeReader;
  #reader: PullReader | null = null;
  #detach: (() => void) | null = null;
  #ids: string[] = [];
  #since: Date | null = null;
  /** Last good moment before the link broke; null while it holds */
  #goodUntil: number | null = null;

  constructor(options: Options, of: NoticeReader) {
    this.#options = options;
    this.#of = of;
  }

  start(reader: PullReader): void {
    this.#reader = reader;
    this.#detach = this.#options.bus.on('notification', this.#of.recipientId, (delivery) =>
      this.#hear(delivery),
    );
  }

  release(): void {
    this.#detach?.();
    this.#ids = [];
  }

  pull(): Pulled<NoticeHint> {
    const [since, ids] = [this.#since, this.#ids];
    if (since === null && ids.length === 0) return { type: 'nothing' };
    this.#since = null;
    this.#ids = [];
    return { type: 'value', value: since === null ? { ids } : { since } };
  }

  get isDry(): boolean {
    return this.#since === null && this.#ids.length === 0;
  }

  #hear(delivery: BusDelivery<'notification'>): void {
    if (delivery.type === 'gap') this.#gap();
    else if (delivery.message.organizationId === this.#of.organizationId)
      this.#add(delivery.message.notificationId);
    this.#reader?.wake();
  }

  #add(id: string): void {
    // A moment that waits to be told covers all that comes after it.
    if (this.#since !== null) return;
    this.#ids.push(id);
    if (this.#ids.length > WAITING_MAX) this.#lostSince(this.#now() - DETECTION_MS);
  }

  #gap(): void {
    const goodUntil = this.#goodUntil ?? this.#now() - DETECTION_MS;
    this.#goodUntil = this.#options.bus.connected ? null : goodUntil;
    this.#lostSince(goodUntil);
  }

  #lostSince(moment: number): void {
    this.#since = new Date(moment - MARGIN_MS);
    this.#ids = [];
  }

  #now(): number {
    return this.#options.clock.now().getTime();
  }
}
