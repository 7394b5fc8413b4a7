/** What a source has for its reader at this moment. */
export type Pulled<T> =
  { readonly type: 'value'; readonly value: T } | { readonly type: 'nothing' } | { readonly type: 'end' };

/** A stream that can be ended from outside. */
export interface Closable {
  finish(): void;
  /** Its reader waits, and there is nothing to give: all that was due has been taken */
  readonly isIdle: boolean;
}

/** How a source reaches its reader. */
export interface PullReader {
  /** There may be something to pull. */
  wake(): void;
  /** Ends the stream; the reader gets `error` once. */
  fail(error: Error): void;
}

/** Where a PullIterator's values come from. Nothing is asked of it before the first `next()`. */
export interface PullSource<T> {
  /** Called once, before the first `pull`: listeners are attached here, so that a stream nobody reads costs nothing */
  start(reader: PullReader): void;
  /** The next value if there is one. After `nothing`, the source wakes the reader once it has more */
  pull(): Pulled<T>;
  /** Nothing is to be pulled and nothing is known to come */
  readonly isDry: boolean;
  /** Called once, when the stream is over for whatever reason, if it was started: detach everything */
  release(): void;
}

interface Waiter<T> {
  readonly resolve: (result: IteratorResult<T, undefined>) => void;
  readonly reject: (error: Error) => void;
}

/**
 * An async iterator without a generator: `return()` releases the source at once, also while `next()` is pending.
 * (A generator that wraps a subscription holds its listener until the next value comes.)
 */
export class PullIterator<T> implements AsyncIterableIterator<T, undefined>, PullReader, Closable {
  readonly #source: PullSource<T>;
  readonly #open: Set<Closable> | undefined;
  #waiters: Waiter<T>[] = [];
  #state: 'new' | 'open' | 'over' = 'new';
  #failure: Error | null = null;

  /** @param open holds the iterator from its first `next()` until it is over */
  constructor(source: PullSource<T>, open?: Set<Closable>) {
    this.#source = source;
    this.#open = open;
  }

  get isIdle(): boolean {
    return this.#state === 'over' || (this.#waiters.length > 0 && this.#source.isDry);
  }

  next(): Promise<IteratorResult<T, undefined>> {
    if (this.#state === 'new') {
      this.#state = 'open';
      this.#open?.add(this);
      this.#source.start(this);
    }
    return new Promise((resolve, reject) => {
      this.#waiters.push({ resolve, reject });
      this.wake();
    });
  }

  return(): Promise<IteratorResult<T, undefined>> {
    this.finish();
    return Promise.resolve({ done: true, value: undefined });
  }

  throw(error: unknown): Promise<IteratorResult<T, undefined>> {
    this.finish();
    return Promise.reject(error instanceof Error ? error : new Error(String(error)));
  }

  [Symbol.asyncIterator](): this {
    return this;
  }

  /** Hands over what the source has, as long as somebody waits. */
  wake(): void {
    while (this.#state === 'open' && this.#waiters.length > 0) {
      const pulled = this.#source.pull();
      if (pulled.type === 'nothing') return;
      if (pulled.type === 'end') this.finish();
      else this.#waiters.shift()?.resolve({ done: false, value: pulled.value });
    }
    if (this.#state === 'over') this.#settle();
  }

  /** Ends the stream now; what was not read is gone. */
  finish(): void {
    this.#close();
    this.#settle();
  }

  fail(error: Error): void {
    if (this.#state === 'over') return;
    this.#failure = error;
    this.#close();
    this.#settle();
  }

  #close(): void {
    const started = this.#state === 'open';
    this.#state = 'over';
    this.#open?.delete(this);
    if (started) this.#source.release();
  }

  #settle(): void {
    const waiters = this.#waiters;
    this.#waiters = [];
    for (const waiter of waiters) {
      if (this.#failure) waiter.reject(this.#failure);
      else waiter.resolve({ done: true, value: undefined });
      this.#failure = null;
    }
  }
}
