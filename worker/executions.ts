import type { Database } from '../src/repositories/db.ts';
import { takeBackDeliveries } from '../src/repositories/job-deliveries.ts';

interface ExecutionsOptions {
  readonly db: Database;
  execute(jobId: string, delivery: number): Promise<void>;
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
    const { db, execute } = this.options;
    // Too late for this process: the delivery goes back to Postgres, and another one is issued.
    if (!this.taking) return takeBackDeliveries(db, [{ jobId, delivery, place: 1 }]);
    const run = execute(jobId, delivery).finally(() => this.running.delete(run));
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
