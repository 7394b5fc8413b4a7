import type { FactType } from '../domain/facts.ts';

interface TouchedFact {
  readonly type: FactType;
  /** YYYY-MM-DD */
  readonly day: string;
  readonly endDay: string | null;
}

/** Days on which facts came, went or changed, by their type. */
export class TouchedDays {
  readonly #days = new Map<FactType, Set<string>>();

  add(facts: readonly TouchedFact[]): void {
    for (const { type, day, endDay } of facts) {
      const days = this.#days.get(type) ?? new Set();
      this.#days.set(type, days.add(day));
      if (endDay !== null) days.add(endDay);
    }
  }

  /** Of any of these types, each once and in order */
  of(...types: readonly FactType[]): string[] {
    return [...new Set(types.flatMap((type) => [...(this.#days.get(type) ?? [])]))].toSorted();
  }
}
