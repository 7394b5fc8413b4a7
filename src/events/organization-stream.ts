import type { Clock } from '../lib/clock.ts';
import {
  PullIterator,
  type Closable,
  type Pulled,
  type PullReader,
  type PullSource,
} from '../lib/pull-iterator.ts';
import type { Timer } from '../lib/timer.ts';
import type { BusDelivery, EventBus } from './bus.ts';
import { COALESCE_MS } from './job-change-stream.ts';

/** Jobs waiting to be told of; one more, and the reader gets a moment instead */
const JOBS_MAX = 1_000;
/** A broken link is noticed at the latest after this (the buses' keepalive and its time limit). */
const DETECTION_MS = 10_000;
/** For clocks that differ and transactions that commit late */
const MARGIN_MS = 5_000;

/** Jobs that changed; or, where hints were lost, the moment since when any may have. */
export type OrganizationChange = { readonly jobIds: readonly string[] } | { readonly since: Date };

interface Options {
  readonly bus: EventBus;
  readonly timer: Timer;
  /** Streams that are being read now */
  readonly open: Set<Closable>;
  readonly clock: Clock;
}

/** Changes of an organization's jobs, in batches at most ten times a second. Never ends by itself. */
export function createOrganizationStream(
  options: Options,
  organizationId: string,
): PullIterator<OrganizationChange> {
  return new PullIterator(new OrganizationSource(options, organizationId), options.open);
}

class OrganizationSource implements PullSource<OrganizationChange> {
  readonly #options: Options;
  readonly #organizationId: string;
  #reader: PullReader | null = null;
  #detach: (() => void) | null = null;
  #cancelPause: (() => void) | null = null;
  #sentAt = Number.NEGATIVE_INFINITY;
  #jobIds = new Set<string>();
  /** When the first of `#jobIds` came, in ms of the clock */
  #collectingSince = 0;
  #since: number | null = null;
  /** Last good moment before the link broke; null while it holds */
  #goodUntil: number | null = null;

  constructor(options: Options, organizationId: string) {
    this.#options = options;
    this.#organizationId = organizationId;
  }

  start(reader: PullReader): void {
    this.#reader = reader;
    this.#detach = this.#options.bus.on('jobChange', this.#organizationId, (delivery) =>
      this.#hear(delivery),
    );
  }

  release(): void {
    this.#detach?.();
    this.#cancelPause?.();
    this.#jobIds.clear();
  }

  pull(): Pulled<OrganizationChange> {
    if ((this.#since === null && this.#jobIds.size === 0) || this.#pausing()) return { type: 'nothing' };
    const value = this.#since === null ? { jobIds: [...this.#jobIds] } : { since: new Date(this.#since) };
    this.#since = null;
    this.#jobIds.clear();
    this.#sentAt = this.#options.timer.now();
    return { type: 'value', value };
  }

  get isDry(): boolean {
    return this.#since === null && this.#jobIds.size === 0;
  }

  #hear(delivery: BusDelivery<'jobChange'>): void {
    if (delivery.type === 'gap') this.#gap();
    else this.#changed(delivery.message.jobId);
    this.#reader?.wake();
  }

  #changed(jobId: string): void {
    // A moment that waits to be told covers all that comes after it.
    if (this.#since !== null) return;
    if (this.#jobIds.size === 0) this.#collectingSince = this.#now();
    this.#jobIds.add(jobId);
    if (this.#jobIds.size > JOBS_MAX) this.#lostSince(this.#collectingSince);
  }

  #gap(): void {
    const goodUntil = this.#goodUntil ?? this.#now() - DETECTION_MS;
    this.#goodUntil = this.#options.bus.connected ? null : goodUntil;
    this.#lostSince(this.#jobIds.size > 0 ? Math.min(goodUntil, this.#collectingSince) : goodUntil);
  }

  #lostSince(moment: number): void {
    this.#since = Math.min(this.#since ?? Number.POSITIVE_INFINITY, moment - MARGIN_MS);
    this.#jobIds.clear();
  }

  #now(): number {
    return this.#options.clock.now().getTime();
  }

  #pausing(): boolean {
    const pauseMs = this.#sentAt + COALESCE_MS - this.#options.timer.now();
    if (pauseMs <= 0) return false;
    this.#cancelPause ??= this.#options.timer.after(pauseMs, () => {
      this.#cancelPause = null;
      this.#reader?.wake();
    });
    return true;
  }
}
