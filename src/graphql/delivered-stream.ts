import type { ExecutionResult } from 'graphql';
import type { Log } from '../lib/log.ts';
import type { Guard } from './authorization/guard.ts';
import { maskError, maskResult } from './masking.ts';

interface DeliveredStreamOptions {
  readonly results: AsyncIterable<ExecutionResult>;
  readonly log: Log;
  readonly requestId: string;
  readonly guard: Guard;
  /** Called at the end, however it comes; it may be called more than once */
  readonly onEnd: () => void;
}

/**
 * What leaves: masked, and only while the caller may have it. The plugins' own hooks for the values and the end of a
 * stream wrap it twice, for every event of every subscriber.
 */
export class DeliveredStream implements AsyncIterableIterator<ExecutionResult, undefined> {
  readonly #options: DeliveredStreamOptions;
  readonly #results: AsyncIterator<ExecutionResult>;
  #isOver = false;

  constructor(options: DeliveredStreamOptions) {
    this.#options = options;
    this.#results = options.results[Symbol.asyncIterator]();
  }

  [Symbol.asyncIterator](): this {
    return this;
  }

  next(): Promise<IteratorResult<ExecutionResult, undefined>> {
    if (this.#isOver) return Promise.resolve({ done: true, value: undefined });
    return this.#results.next().then(this.#onResult, this.#onFailed);
  }

  async return(): Promise<IteratorResult<ExecutionResult, undefined>> {
    this.#end();
    await this.#results.return?.();
    return { done: true, value: undefined };
  }

  readonly #onResult = (
    next: IteratorResult<ExecutionResult>,
  ): IteratorResult<ExecutionResult, undefined> => {
    if (next.done) {
      this.#end();
      return { done: true, value: undefined };
    }
    const { log, requestId, guard } = this.#options;
    const refusal = guard();
    if (refusal) {
      this.return().catch((err: unknown) => log.debug({ err }, 'a refused stream did not end well'));
      return { done: false, value: { errors: [refusal] } };
    }
    const value = maskResult(next.value, log, requestId);
    return value === next.value ? next : { done: false, value };
  };

  readonly #onFailed = (error: unknown): never => {
    this.#end();
    throw maskError(error, this.#options.log, this.#options.requestId);
  };

  #end(): void {
    this.#isOver = true;
    this.#options.onEnd();
  }
}
