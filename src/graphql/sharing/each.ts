import type { ExecutionResult } from 'graphql';
import type { ExecuteFor, Groups, MaybeResult } from './groups.ts';

/** Results by the value that they tell of; a value's result goes when the value does. */
export class EachGroup {
  readonly #execute: ExecuteFor;
  readonly #results = new WeakMap<object, MaybeResult>();

  constructor(execute: ExecuteFor) {
    this.#execute = execute;
  }

  resultOf(value: unknown): MaybeResult {
    if (typeof value !== 'object' || value === null) return this.#execute(value);
    const known = this.#results.get(value);
    if (known) return known;
    const result = this.#execute(value);
    this.#results.set(value, result);
    return result;
  }
}

/**
 * A subscriber with a position of its own: its source is its own, and gives the same object as the others' sources
 * where it tells of the same event, which then is executed and encoded once.
 */
export class EachStream implements AsyncIterableIterator<ExecutionResult, undefined> {
  readonly #source: AsyncIterator<unknown, unknown>;
  readonly #group: EachGroup;
  readonly #leave: () => void;

  constructor(source: AsyncIterable<unknown>, groups: Groups<EachGroup>, key: string, execute: ExecuteFor) {
    this.#source = source[Symbol.asyncIterator]();
    const { group, leave } = groups.join(key, () => new EachGroup(execute));
    this.#group = group;
    this.#leave = leave;
  }

  [Symbol.asyncIterator](): this {
    return this;
  }

  /** No async function: it runs once per event and subscriber, and each `await` costs one more turn. */
  next(): Promise<IteratorResult<ExecutionResult, undefined>> {
    return this.#source.next().then(this.#onPulled, this.#onFailed);
  }

  async return(): Promise<IteratorResult<ExecutionResult, undefined>> {
    this.#leave();
    await this.#source.return?.();
    return { done: true, value: undefined };
  }

  readonly #onPulled = ({
    done,
    value,
  }: IteratorResult<unknown, unknown>): MaybeNext | Promise<MaybeNext> => {
    if (done) {
      this.#leave();
      return { done: true, value: undefined };
    }
    const result = this.#group.resultOf(value);
    if (!(result instanceof Promise)) return { done: false, value: result };
    return result.then((settled) => ({ done: false, value: settled }), this.#onFailed);
  };

  readonly #onFailed = async (error: unknown): Promise<never> => {
    await this.return();
    throw error;
  };
}

type MaybeNext = IteratorResult<ExecutionResult, undefined>;
