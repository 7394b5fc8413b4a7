import { QUEUE_NAMES, type QueueName } from '../../src/domain/job.ts';
import type { Log } from '../../src/lib/log.ts';
import type { Database } from '../../src/repositories/db.ts';
import { readQueueSettings } from '../../src/repositories/queues.ts';
import { fitLimits, type QueueLimits } from '../queue-limits.ts';
import type { SupervisedConsumer } from '../supervised-consumer.ts';

interface QueueSettingsOptions {
  readonly db: Database;
  readonly log: Log;
  readonly consumers: readonly SupervisedConsumer[];
  /** Where an operator has set nothing */
  readonly defaults: QueueLimits;
  /** Attempts of all queues together that this worker has connections for */
  readonly room: number;
}

/** Brings what operators set for a queue (pause, concurrency) to this worker's consumers while they run. */
export class QueueSettingsFollower {
  private readonly options: QueueSettingsOptions;
  private told = '';
  /** In effect now */
  limits: QueueLimits;

  constructor(options: QueueSettingsOptions) {
    this.options = options;
    this.limits = options.defaults;
  }

  async look(): Promise<void> {
    const { db, consumers, defaults, room } = this.options;
    const settings = await readQueueSettings(db);
    const asked = (name: QueueName): number => Math.max(1, settings.get(name)?.concurrency ?? defaults[name]);
    const wanted = { ...defaults, ...Object.fromEntries(QUEUE_NAMES.map((name) => [name, asked(name)])) };
    const { limits, capped } = fitLimits(wanted, defaults, room);
    this.limits = limits;
    this.tell(capped, wanted);
    await Promise.all(
      consumers.map((consumer) =>
        consumer.configure(limits[consumer.queue], settings.get(consumer.queue)?.paused ?? false),
      ),
    );
  }

  /** Says once what cannot be given. */
  private tell(capped: readonly QueueName[], wanted: QueueLimits): void {
    const text = capped.map((name) => `${name}: ${this.limits[name]} of ${wanted[name]}`).join(', ');
    if (text !== '' && text !== this.told) {
      this.options.log.warn(
        { capped: text, room: this.options.room },
        'queues run fewer jobs at once than was set: DATABASE_CONNECTIONS leaves no room for more',
      );
    }
    this.told = text;
  }
}
