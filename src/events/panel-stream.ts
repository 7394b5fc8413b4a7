import { PANEL_KEYS, type PanelKey } from '../domain/panel.ts';
import {
  PullIterator,
  type Closable,
  type Pulled,
  type PullReader,
  type PullSource,
} from '../lib/pull-iterator.ts';
import type { Timer } from '../lib/timer.ts';
import type { BusDelivery, EventBus } from './bus.ts';

/** A panel that changes all the time is told of so often at most, in ms. */
const COALESCE_MS = 250;

interface Options {
  readonly bus: EventBus;
  readonly timer: Timer;
  /** Streams that are being read now */
  readonly open: Set<Closable>;
}

/**
 * Panels of an organization that are others than before, each once until it is read; all of them where hints were lost.
 * Never ends by itself.
 */
export function createPanelStream(
  options: Options,
  organizationId: string,
): PullIterator<readonly PanelKey[]> {
  return new PullIterator(new PanelSource(options, organizationId), options.open);
}

class PanelSource implements PullSource<readonly PanelKey[]> {
  readonly #options: Options;
  readonly #organizationId: string;
  readonly #changed = new Set<PanelKey>();
  #reader: PullReader | null = null;
  #detach: (() => void) | null = null;
  #cancelPause: (() => void) | null = null;
  #sentAt = Number.NEGATIVE_INFINITY;

  constructor(options: Options, organizationId: string) {
    this.#options = options;
    this.#organizationId = organizationId;
  }

  start(reader: PullReader): void {
    this.#reader = reader;
    this.#detach = this.#options.bus.on('panelChange', this.#organizationId, (delivery) =>
      this.#hear(delivery),
    );
  }

  release(): void {
    this.#detach?.();
    this.#cancelPause?.();
    this.#changed.clear();
  }

  pull(): Pulled<readonly PanelKey[]> {
    if (this.#changed.size === 0 || this.#isPausing()) return { type: 'nothing' };
    const value = PANEL_KEYS.filter((key) => this.#changed.has(key));
    this.#changed.clear();
    this.#sentAt = this.#options.timer.now();
    return { type: 'value', value };
  }

  get isDry(): boolean {
    return this.#changed.size === 0;
  }

  #hear(delivery: BusDelivery<'panelChange'>): void {
    const keys = delivery.type === 'gap' ? PANEL_KEYS : [delivery.message.panel];
    for (const key of keys) this.#changed.add(key);
    this.#reader?.wake();
  }

  #isPausing(): boolean {
    const pauseMs = this.#sentAt + COALESCE_MS - this.#options.timer.now();
    if (pauseMs <= 0) return false;
    this.#cancelPause ??= this.#options.timer.after(pauseMs, () => {
      this.#cancelPause = null;
      this.#reader?.wake();
    });
    return true;
  }
}
