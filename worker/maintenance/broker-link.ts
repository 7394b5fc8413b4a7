import { performance } from 'node:perf_hooks';
import type { DeliveryQueue } from '../../src/queue/queue.ts';

/** Knows since when the broker has not answered this process. */
export class BrokerLink {
  private readonly queue: DeliveryQueue;
  private answeredMs = performance.now();

  constructor(queue: DeliveryQueue) {
    this.queue = queue;
  }

  /** @throws when it does not answer */
  async look(): Promise<void> {
    await this.queue.counts('internal');
    this.answeredMs = performance.now();
  }

  silentMs(): number {
    return performance.now() - this.answeredMs;
  }
}
