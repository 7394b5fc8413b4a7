import type { Timer } from '../../src/lib/timer.ts';

/** A timer that a test turns by hand. */
export class ManualTimer implements Timer {
  #now = 0;
  #waiting: { readonly at: number; readonly run: () => void }[] = [];

  /** Calls that wait */
  get size(): number {
    return this.#waiting.length;
  }

  now(): number {
    return this.#now;
  }

  after(ms: number, run: () => void): () => void {
    const entry = { at: this.#now + ms, run };
    this.#waiting.push(entry);
    return () => {
      this.#waiting = this.#waiting.filter((waiting) => waiting !== entry);
    };
  }

  /** Lets `ms` pass; what is due is called in its order. */
  advance(ms: number): void {
    const end = this.#now + ms;
    for (let next = this.#due(end); next; next = this.#due(end)) {
      this.#now = Math.max(this.#now, next.at);
      this.#waiting = this.#waiting.filter((waiting) => waiting !== next);
      next.run();
    }
    this.#now = end;
  }

  #due(end: number): { readonly at: number; readonly run: () => void } | undefined {
    return this.#waiting.filter(({ at }) => at <= end).sort((left, right) => left.at - right.at)[0];
  }
}

/** Lets all that is ready to run do so. */
export function settle(): Promise<void> {
  return new Promise((resolve) => setImmediate(resolve));
}
