/** First in, first out, of at most `capacity` entries. What happens when it is full is the caller's choice. */
export class BoundedBuffer<T> {
  readonly capacity: number;
  #slots: (T | undefined)[];
  #head = 0;
  #size = 0;

  /** @param capacity a whole number, at least 1 */
  constructor(capacity: number) {
    if (!Number.isInteger(capacity) || capacity < 1)
      throw new RangeError(`expected a capacity of 1 or more, got ${capacity}`);
    this.capacity = capacity;
    this.#slots = new Array<T | undefined>(capacity);
  }

  get size(): number {
    return this.#size;
  }

  /** @returns false, and keeps what it has, when full */
  offer(value: T): boolean {
    if (this.#size === this.capacity) return false;
    this.#slots[(this.#head + this.#size) % this.capacity] = value;
    this.#size += 1;
    return true;
  }

  /** Always takes `value`. @returns how many of the oldest had to go: 0 or 1 */
  push(value: T): number {
    const dropped = this.#size === this.capacity ? 1 : 0;
    if (dropped) this.shift();
    this.offer(value);
    return dropped;
  }

  /** The oldest, left where it is */
  peek(): T | undefined {
    return this.#size === 0 ? undefined : this.#slots[this.#head];
  }

  /** The oldest, taken out */
  shift(): T | undefined {
    if (this.#size === 0) return undefined;
    const value = this.#slots[this.#head];
    this.#slots[this.#head] = undefined;
    this.#head = (this.#head + 1) % this.capacity;
    this.#size -= 1;
    return value;
  }

  clear(): void {
    this.#slots = new Array<T | undefined>(this.capacity);
    this.#head = 0;
    this.#size = 0;
  }
}
