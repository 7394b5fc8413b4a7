/** Counts what is under way for each key, up to a limit for each. Nothing waits: what finds no room is refused. */
export class Slots {
  readonly #max: number;
  readonly #taken = new Map<string, number>();

  constructor(max: number) {
    this.#max = max;
  }

  /** @returns gives the place back, once however often it is called; or null where there was none */
  take(key: string): (() => void) | null {
    const taken = this.#taken.get(key) ?? 0;
    if (taken >= this.#max) return null;
    this.#taken.set(key, taken + 1);
    let isTaken = true;
    return () => {
      if (isTaken) this.#giveBack(key);
      isTaken = false;
    };
  }

  #giveBack(key: string): void {
    const left = (this.#taken.get(key) ?? 0) - 1;
    if (left > 0) this.#taken.set(key, left);
    else this.#taken.delete(key);
  }
}
