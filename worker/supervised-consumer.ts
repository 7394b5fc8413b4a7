import { performance } from 'node:perf_hooks';
import type { QueueName } from '../src/domain/job.ts';
import type { Log } from '../src/lib/log.ts';
import type { Consumer } from './bullmq.ts';

type Execute = (jobId: string, delivery: number) => Promise<void>;

export interface SupervisedOptions {
  readonly queue: QueueName;
  readonly concurrency: number;
  readonly log: Log;
  readonly execute: Execute;
  /** For a delivery that was on its way when the queue was paused */
  readonly takeBack: Execute;
  readonly open: (options: { concurrency: number; execute: Execute }) => Promise<Consumer>;
  /** Monotonic, in ms */
  readonly monotonicMs?: () => number;
}

/**
 * The consumer of one queue, seen from outside: how many slots are free and since when it has fetched nothing. A
 * consumer can stay connected and fetch nothing for ever, so it is never asked about itself; one that turns out to be
 * deaf is given up with its connections, and another one opened. What runs is not touched by that, and holds its slot.
 */
export class SupervisedConsumer {
  readonly queue: QueueName;
  private readonly options: SupervisedOptions;
  private readonly now: () => number;
  private consumer: Consumer | null = null;
  /** Counts the consumers: executions of an earlier one hold slots that the present one does not know of */
  private generation = 0;
  private own = 0;
  private carried = 0;
  private limit: number;
  private paused = false;
  private closed = false;
  private quietSinceMs: number;
  private changing: Promise<void> = Promise.resolve();
  /** Deliveries wait that this consumer does not fetch; false again once it has fetched one, or none wait */
  deaf = false;

  constructor(options: SupervisedOptions) {
    this.options = options;
    this.queue = options.queue;
    this.limit = options.concurrency;
    this.now = options.monotonicMs ?? (() => performance.now());
    this.quietSinceMs = this.now();
  }

  /** Deliveries that run at once, at most; 0 while the queue is paused */
  get concurrency(): number {
    return this.paused ? 0 : this.limit;
  }

  get busy(): number {
    return this.own + this.carried;
  }

  /** Ms for which it has had a free slot, was not paused, and fetched nothing; 0 when it has no free slot */
  quietMs(): number {
    return this.busy >= this.limit || this.paused || this.closed ? 0 : this.now() - this.quietSinceMs;
  }

  open(): Promise<void> {
    return this.change(() => this.openNext());
  }

  /** Gives a deaf consumer up and opens another one, with connections of its own. */
  rebuild(): Promise<void> {
    return this.change(async () => {
      await this.consumer?.close();
      if (this.closed) return;
      this.carried += this.own;
      this.own = 0;
      await this.openNext();
    });
  }

  /** Sets what the queue's row says. Nothing happens when nothing changed. */
  configure(limit: number, paused: boolean): Promise<void> {
    return this.change(async () => {
      const limitChanged = limit !== this.limit;
      const pausedChanged = paused !== this.paused;
      this.limit = limit;
      this.paused = paused;
      if (limitChanged || pausedChanged) this.quietSinceMs = this.now();
      if (limitChanged) await this.fitSlots();
      if (pausedChanged) await (paused ? this.consumer?.pause() : this.consumer?.resume());
    });
  }

  /** Fetches nothing more, for good; what runs goes on. */
  stopFetching(): Promise<void> {
    return this.change(async () => {
      this.closed = true;
      await this.consumer?.pause();
    });
  }

  close(): Promise<void> {
    return this.change(async () => {
      this.closed = true;
      await this.consumer?.close();
      this.consumer = null;
    });
  }

  private async openNext(): Promise<void> {
    const generation = ++this.generation;
    this.quietSinceMs = this.now();
    this.consumer = await this.options.open({
      concurrency: this.slots(),
      execute: (jobId, delivery) => this.execute(generation, jobId, delivery),
    });
    if (this.paused) await this.consumer.pause();
  }

  private async execute(generation: number, jobId: string, delivery: number): Promise<void> {
    const isPresent = (): boolean => generation === this.generation;
    if (isPresent()) {
      this.deaf = false;
      this.quietSinceMs = this.now();
      this.own += 1;
    } else this.carried += 1;
    try {
      const { execute, takeBack } = this.options;
      await (this.paused ? takeBack : execute)(jobId, delivery);
    } finally {
      if (isPresent()) this.own -= 1;
      else this.endCarried();
      this.quietSinceMs = this.now();
    }
  }

  private endCarried(): void {
    this.carried -= 1;
    void this.change(() => this.fitSlots());
  }

  /** BullMQ knows no consumer without a slot: while all are held from before, the new one has one of its own. */
  private slots(): number {
    return Math.max(1, this.limit - this.carried);
  }

  private async fitSlots(): Promise<void> {
    await this.consumer?.setConcurrency(this.slots());
  }

  /** One change after the other; one that fails is logged and does not stop the next. */
  private change(run: () => Promise<void>): Promise<void> {
    const { log, queue } = this.options;
    this.changing = this.changing.then(run).catch((err: unknown) => {
      log.error({ err, queue }, 'a consumer could not be changed');
    });
    return this.changing;
  }
}
