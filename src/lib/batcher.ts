import { toError } from './abort.ts';

export interface BatcherOptions<Item, Result> {
  /** Items of one run, at most; more wait for the next */
  readonly sizeMax: number;
  /** Runs under way at once */
  readonly concurrency: number;
  /** A run of several that throws is done again item by item, so that none fails another's; default: true */
  readonly isolate?: boolean;
  /** Results in the order of the items */
  run(items: readonly Item[]): Promise<readonly Result[]>;
}

interface Waiting<Item, Result> {
  readonly item: Item;
  readonly resolve: (result: Result) => void;
  readonly reject: (error: Error) => void;
}

/**
 * Gathers what is asked while a run is under way into the next run: alone, an item goes out at once; under load, runs
 * grow. Every item waits for its own result.
 */
export class Batcher<Item, Result> {
  readonly #options: BatcherOptions<Item, Result>;
  #waiting: Waiting<Item, Result>[] = [];
  #running = 0;
  #scheduled = false;

  constructor(options: BatcherOptions<Item, Result>) {
    this.#options = options;
  }

  add(item: Item): Promise<Result> {
    return new Promise((resolve, reject) => {
      this.#waiting.push({ item, resolve, reject });
      this.#schedule();
    });
  }

  /** Items of the same turn of the event loop go together. */
  #schedule(): void {
    if (this.#scheduled || this.#running >= this.#options.concurrency) return;
    this.#scheduled = true;
    setImmediate(() => {
      this.#scheduled = false;
      while (this.#waiting.length > 0 && this.#running < this.#options.concurrency) void this.#runOne();
    });
  }

  async #runOne(): Promise<void> {
    const batch = this.#waiting.splice(0, this.#options.sizeMax);
    this.#running += 1;
    try {
      await this.#settle(batch);
    } finally {
      this.#running -= 1;
      if (this.#waiting.length > 0) this.#schedule();
    }
  }

  async #settle(batch: readonly Waiting<Item, Result>[]): Promise<void> {
    try {
      const results = await this.#options.run(batch.map(({ item }) => item));
      if (results.length !== batch.length)
        throw new Error(`expected ${batch.length} results of a batch, got ${results.length}`);
      results.forEach((result, index) => batch[index]?.resolve(result));
    } catch (error) {
      const isolate = (this.#options.isolate ?? true) && batch.length > 1;
      if (!isolate) batch.forEach(({ reject }) => reject(toError(error)));
      else await Promise.all(batch.map((one) => this.#settle([one])));
    }
  }
}
