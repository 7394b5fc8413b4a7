import { raceAbort, toError } from '../../src/lib/abort.ts';
import type { Log } from '../../src/lib/log.ts';
import type { DeliveryQueue } from '../../src/queue/queue.ts';
import type { Database } from '../../src/repositories/db.ts';
import { findUnclaimed, type UnclaimedDeliveries } from '../../src/repositories/queue-depths.ts';
import type { SupervisedConsumer } from '../supervised-consumer.ts';

interface DeafWatchOptions {
  readonly db: Database;
  readonly queue: DeliveryQueue;
  readonly log: Log;
  readonly consumers: readonly SupervisedConsumer[];
  /** Called for each consumer that was given up for another one */
  onRebuild(consumer: SupervisedConsumer): void;
}

/** A consumer with a free slot takes what waits within milliseconds. */
const DEAF_AFTER_MS = 10_000;
/** A delivery that a worker fetched as it died comes round after its lock (10 s) and the next look for such (5 s). */
const STRANDED_AFTER_MS = 20_000;
const ASK_BROKER_MS = 2_000;

/**
 * Finds consumers of this process that fetch nothing although deliveries wait and slots are free, and has them built
 * anew. Three parties must agree: the consumer has been quiet, Postgres knows of deliveries that nobody claims, and
 * the broker still holds them. Where the broker itself does not answer, nothing is judged: that has a watch of its own.
 */
export class DeafWatch {
  private readonly options: DeafWatchOptions;

  constructor(options: DeafWatchOptions) {
    this.options = options;
  }

  /** Costs one statement, and only while a consumer is quiet. */
  async look(): Promise<void> {
    const suspects = this.options.consumers.filter(
      (consumer) => consumer.deaf || consumer.quietMs() > DEAF_AFTER_MS,
    );
    if (suspects.length === 0) return;
    const names = suspects.map(({ queue }) => queue);
    const unclaimed = await findUnclaimed(this.options.db, names, DEAF_AFTER_MS / 1_000);
    await Promise.all(
      suspects.map((consumer) =>
        this.judge(
          consumer,
          unclaimed.find(({ queue }) => queue === consumer.queue),
        ),
      ),
    );
  }

  private async judge(consumer: SupervisedConsumer, waiting: UnclaimedDeliveries | undefined): Promise<void> {
    const held = waiting && (await this.isHeld(waiting));
    if (held === null) return;
    // Asking took a while: it may have fetched meanwhile.
    const quietMs = consumer.quietMs();
    if (!waiting || !held) consumer.deaf = false;
    else if (quietMs > DEAF_AFTER_MS) {
      consumer.deaf = true;
      this.options.log.error(
        { queue: consumer.queue, quietMs: Math.round(quietMs), waitingMs: Math.round(waiting.oldestMs) },
        'a consumer is connected and fetches nothing; it is built anew',
      );
      this.options.onRebuild(consumer);
      await consumer.rebuild();
    }
  }

  /** Whether the broker holds deliveries that this worker could fetch; null when it does not answer. */
  private async isHeld({ queue, oldestMs, running }: UnclaimedDeliveries): Promise<boolean | null> {
    const { log } = this.options;
    try {
      const counting = this.options.queue.counts(queue);
      const { waiting, active } = await raceAbort(counting, AbortSignal.timeout(ASK_BROKER_MS));
      return waiting > 0 || (active > running && oldestMs > STRANDED_AFTER_MS);
    } catch (error) {
      log.debug({ err: toError(error), queue }, 'the broker could not be asked what it holds');
      return null;
    }
  }
}
