interface LruMapOptions<V> {
  /** Sum of all weights that is never exceeded */
  readonly weightMax: number;
  /** What one value counts for; default 1, so that `weightMax` is the number of entries */
  readonly weigh?: (value: V) => number;
}

/**
 * A map of bounded size: what was read or written longest ago makes room. A value heavier than the whole map is not
 * kept at all.
 */
export class LruMap<K, V> {
  readonly #entries = new Map<K, { readonly value: V; readonly weight: number }>();
  readonly #weightMax: number;
  readonly #weigh: (value: V) => number;
  #weight = 0;

  constructor({ weightMax, weigh = () => 1 }: LruMapOptions<V>) {
    this.#weightMax = weightMax;
    this.#weigh = weigh;
  }

  get size(): number {
    return this.#entries.size;
  }

  get(key: K): V | undefined {
    const entry = this.#entries.get(key);
    if (!entry) return undefined;
    this.#entries.delete(key);
    this.#entries.set(key, entry);
    return entry.value;
  }

  set(key: K, value: V): void {
    this.delete(key);
    const weight = this.#weigh(value);
    if (weight > this.#weightMax) return;
    this.#entries.set(key, { value, weight });
    this.#weight += weight;
    this.#makeRoom();
  }

  delete(key: K): void {
    const entry = this.#entries.get(key);
    if (!entry) return;
    this.#entries.delete(key);
    this.#weight -= entry.weight;
  }

  #makeRoom(): void {
    for (const key of this.#entries.keys()) {
      if (this.#weight <= this.#weightMax) return;
      this.delete(key);
    }
  }
}
