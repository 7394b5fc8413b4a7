import type { EventBus, Topic, TopicMessage } from './bus.ts';
import type { Dispatch } from './dispatch.ts';
import type { Outbox } from './outbox.ts';
import type { BusStats } from './stats.ts';
import { encodeMessage } from './wire.ts';

/** A bus that also tells how it fares: for metrics, readiness and tests. */
export interface BusAdapter extends EventBus {
  readonly stats: Readonly<BusStats>;
  /** Listeners attached now */
  readonly listeners: number;
}

export interface BusParts {
  readonly dispatch: Dispatch;
  readonly outbox: Outbox;
  readonly stats: BusStats;
  readonly isConnected: () => boolean;
  /** Ends the connections to the broker; has a time limit of its own. */
  readonly disconnect: () => Promise<void>;
}

/** Puts the shared halves and a broker's link together. */
export function createAdapter({ dispatch, outbox, stats, isConnected, disconnect }: BusParts): BusAdapter {
  let closing: Promise<void> | null = null;
  const close = async (): Promise<void> => {
    await outbox.flush();
    outbox.close();
    dispatch.clear();
    await disconnect();
  };
  return {
    publish<T extends Topic>(topic: T, key: string, message: TopicMessage<T>): void {
      if (closing) return;
      const encoded = encodeMessage(topic, key, message);
      if (encoded) outbox.add(encoded);
      else outbox.lose();
    },
    on: (topic, key, listener) => dispatch.on(topic, key, listener),
    flush: () => outbox.flush(),
    close: () => (closing ??= close()),
    get connected() {
      return isConnected();
    },
    stats,
    get listeners() {
      return dispatch.listeners;
    },
  };
}
