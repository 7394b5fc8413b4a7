import type { QueueName } from '../../src/domain/job.ts';
import type { Log } from '../../src/lib/log.ts';
import { startLoop, type Loop } from '../../src/lib/loop.ts';
import { admissionWindow, handOver } from '../../src/queue/deliver.ts';
import type { DeliveryQueue } from '../../src/queue/queue.ts';
import type { Database } from '../../src/repositories/db.ts';
import { issueDueDeliveries } from '../../src/repositories/job-deliveries.ts';

export interface DispatchDeps {
  readonly db: Database;
  readonly queue: DeliveryQueue;
  readonly log: Log;
  /** Told of deliveries that are issued again because the broker lost them */
  onRedelivery?(queue: QueueName, deliveries: number): void;
}

/** Between two sweeps; in between, settled jobs make room and call for more. */
const SWEEP_MS = 250;
/** Most deliveries of one statement; a full one is followed by another at once. */
const BATCH = 500;
/** Batches of one run, so that a queue with much to do does not keep the others waiting. */
const BATCHES_MAX = 20;

/** Hands one queue's due jobs to the broker, each organization up to its window, for as long as the process works. */
export class Dispatcher {
  readonly #deps: DispatchDeps;
  readonly #queue: QueueName;
  readonly #concurrency: () => number;
  readonly #loop: Loop;
  /** The last run found jobs that waited: there may be more */
  #backlog = false;
  #settledSince = 0;

  /** @param concurrency of this worker in the queue, as it is set at the time */
  constructor(deps: DispatchDeps, queue: QueueName, concurrency: () => number) {
    this.#deps = deps;
    this.#queue = queue;
    this.#concurrency = concurrency;
    this.#loop = startLoop({
      name: `dispatch ${queue}`,
      everyMs: SWEEP_MS,
      log: deps.log,
      run: () => this.#dispatch(),
    });
  }

  /** A job settled, so its organization's window has room. A quarter of a window at once is worth a statement. */
  settled(): void {
    this.#settledSince += 1;
    if (this.#backlog && this.#settledSince >= admissionWindow(this.#concurrency()) / 4) this.#loop.poke();
  }

  stop(): Promise<void> {
    return this.#loop.stop();
  }

  async #dispatch(): Promise<void> {
    this.#settledSince = 0;
    const window = admissionWindow(this.#concurrency());
    let issued = 0;
    for (let batch = 0; batch < BATCHES_MAX; batch += 1) {
      const deliveries = await issueDueDeliveries(this.#deps.db, this.#queue, window, BATCH);
      issued += deliveries.length;
      const taken = await handOver(this.#deps, this.#queue, deliveries);
      if (!taken || deliveries.length < BATCH) break;
    }
    this.#backlog = issued > 0;
  }
}
