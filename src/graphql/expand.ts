/**
 * Each value of `source` as none, one or several others. No generator: `return()` reaches the source at once, also
 * while a `next()` is pending.
 * @param started runs once, after the source was asked for its first value and so is attached
 */
export function expand<S, T>(
  source: AsyncIterator<S, unknown>,
  toMany: (value: S) => Promise<readonly T[]>,
  started: () => Promise<void> = () => Promise.resolve(),
): AsyncIterableIterator<T, undefined> {
  return new Expanded(source, toMany, started);
}

class Expanded<S, T> implements AsyncIterableIterator<T, undefined> {
  readonly #source: AsyncIterator<S, unknown>;
  readonly #toMany: (value: S) => Promise<readonly T[]>;
  readonly #started: () => Promise<void>;
  #ready: T[] = [];
  #isStarted = false;
  #isOver = false;

  constructor(
    source: AsyncIterator<S, unknown>,
    toMany: (value: S) => Promise<readonly T[]>,
    started: () => Promise<void>,
  ) {
    this.#source = source;
    this.#toMany = toMany;
    this.#started = started;
  }

  async next(): Promise<IteratorResult<T, undefined>> {
    try {
      while (!this.#isOver) {
        const value = this.#ready.shift();
        if (value !== undefined) return { done: false, value };
        const pulled = await this.#pull();
        if (pulled.done) this.#isOver = true;
        else this.#ready = [...(await this.#toMany(pulled.value))];
      }
      return { done: true, value: undefined };
    } catch (error) {
      await this.return();
      throw error;
    }
  }

  async return(): Promise<IteratorResult<T, undefined>> {
    this.#isOver = true;
    this.#ready = [];
    await this.#source.return?.();
    return { done: true, value: undefined };
  }

  [Symbol.asyncIterator](): this {
    return this;
  }

  async #pull(): Promise<IteratorResult<S, unknown>> {
    const pulled = this.#source.next();
    if (this.#isStarted) return pulled;
    this.#isStarted = true;
    // Handled by the await below; without this, a failure during `started` would be nobody's.
    pulled.catch(() => undefined);
    await this.#started();
    return pulled;
  }
}
