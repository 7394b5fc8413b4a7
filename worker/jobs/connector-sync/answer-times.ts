import { performance } from 'node:perf_hooks';
import { bucketOf } from '../../../src/domain/histogram.ts';
import type { ProviderAnswers } from '../../../src/repositories/connection-runs.ts';

/** How long a provider takes for its pages. */
export class AnswerTimes {
  #pages = 0;
  #failures = 0;
  readonly #latency = new Map<number, number>();

  /** The same values; each wait for one is counted. */
  async *measure<T>(pages: AsyncIterable<T>): AsyncGenerator<T, void, undefined> {
    let askedMs = performance.now();
    try {
      for await (const page of pages) {
        this.#came(performance.now() - askedMs);
        yield page;
        askedMs = performance.now();
      }
    } catch (error) {
      this.#failures += 1;
      throw error;
    }
  }

  /** What was counted since it was taken last; null: nothing */
  take(): ProviderAnswers | null {
    if (this.#pages + this.#failures === 0) return null;
    const answers = { pages: this.#pages, failures: this.#failures, latency: new Map(this.#latency) };
    this.#pages = 0;
    this.#failures = 0;
    this.#latency.clear();
    return answers;
  }

  #came(ms: number): void {
    const bucket = bucketOf(ms);
    this.#pages += 1;
    this.#latency.set(bucket, (this.#latency.get(bucket) ?? 0) + 1);
  }
}
