import type { ExecutionResult } from 'graphql';

/** A result, or one to come: graphql-js answers at once where no resolver waits. */
export type MaybeResult = ExecutionResult | Promise<ExecutionResult>;

/** Executes the operation of a group for one value of its source. */
export type ExecuteFor = (value: unknown) => MaybeResult;

/** Groups of subscribers by key; one that the last has left is forgotten. */
export class Groups<G> {
  readonly #groups = new Map<string, { readonly group: G; members: number }>();

  get size(): number {
    return this.#groups.size;
  }

  /** @returns the group of `key`, and how to leave it, safe to call twice */
  join(key: string, create: () => G): { readonly group: G; readonly leave: () => void } {
    const entry = this.#groups.get(key) ?? { group: create(), members: 0 };
    this.#groups.set(key, entry);
    entry.members += 1;
    let isMember = true;
    return {
      group: entry.group,
      leave: () => {
        if (!isMember) return;
        isMember = false;
        entry.members -= 1;
        if (entry.members === 0 && this.#groups.get(key) === entry) this.#groups.delete(key);
      },
    };
  }

  /** Whoever comes from now on starts a group of its own; the members of this one keep it. */
  retire(key: string, group: G): void {
    if (this.#groups.get(key)?.group === group) this.#groups.delete(key);
  }
}
