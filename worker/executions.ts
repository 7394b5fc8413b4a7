import { DeliveryKept } from './delivery-kept.ts';

interface ExecutionsOptions {
  execute(jobId: string, delivery: number): Promise<void>;
  /** Lets Postgres issue the delivery anew */
  takeBack(jobId: string, delivery: number): Promise<void>;
}

/** Deliveries that this process has in its hands. */
export class Executions {
  private readonly options: ExecutionsOptions;
  private readonly running = new Set<Promise<void>>();
  private taking = true;

  constructor(options: ExecutionsOptions) {
    this.options = options;
  }

  /** Settles when the delivery is dealt with. */
  async take(jobId: string, delivery: number): Promise<void> {
    const { execute, takeBack } = this.options;
    if (!this.taking) return takeBack(jobId, delivery);
    const run = execute(jobId, delivery)
      .catch((error: unknown) => {
        throw this.taking ? error : new DeliveryKept(error);
      })
      .finally(() => this.running.delete(run));
    this.running.add(run);
    return run;
  }

  /** From now on, what the broker still hands out goes back. */
  stopTaking(): void {
    this.taking = false;
  }

  /** Resolves when nothing runs. Call it after `stopTaking`. */
  async idle(): Promise<void> {
    await Promise.allSettled(this.running);
  }
}
