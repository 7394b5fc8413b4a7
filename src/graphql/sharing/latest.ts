import type { ExecutionResult } from 'graphql';
import { toError } from '../../lib/abort.ts';
import { PullIterator, type Pulled, type PullReader, type PullSource } from '../../lib/pull-iterator.ts';
import type { ExecuteFor, Groups } from './groups.ts';

/**
 * Follows one source for all its members and executes the operation one time at a time: a member who is slow or came
 * late finds the latest result, and nobody gets one that is older than the one before.
 */
export class LatestGroup {
  readonly #source: AsyncIterator<unknown>;
  readonly #execute: ExecuteFor;
  readonly #onOver: (group: LatestGroup) => void;
  readonly #members = new Set<LatestSource>();
  /** Those who wait for a result of an execution that has not begun */
  #wanting = new Set<LatestSource>();
  #value: { readonly of: unknown } | null = null;
  #executing: Promise<void> | null = null;

  /** @param onOver called when the source has ended: members that come later belong to another group */
  constructor(source: AsyncIterator<unknown>, execute: ExecuteFor, onOver: (group: LatestGroup) => void) {
    this.#source = source;
    this.#execute = execute;
    this.#onOver = onOver;
    void this.#follow();
  }

  add(member: LatestSource): void {
    this.#members.add(member);
    this.#wanting.add(member);
    void this.#serve();
  }

  remove(member: LatestSource): void {
    this.#members.delete(member);
    this.#wanting.delete(member);
    if (this.#members.size === 0) void this.#source.return?.();
  }

  async #follow(): Promise<void> {
    try {
      for (let next = await this.#source.next(); !next.done; next = await this.#source.next()) {
        this.#value = { of: next.value };
        this.#wanting = new Set(this.#members);
        await this.#serve();
      }
      await this.#over(null);
    } catch (error) {
      await this.#over(toError(error));
    }
  }

  /** Resolves when nobody wants a result any more. */
  #serve(): Promise<void> {
    if (!this.#isWanted()) return this.#executing ?? Promise.resolve();
    return (this.#executing ??= this.#executeWhileWanted());
  }

  #isWanted(): boolean {
    return this.#value !== null && this.#wanting.size > 0;
  }

  async #executeWhileWanted(): Promise<void> {
    while (this.#value && this.#wanting.size > 0) {
      // All that come in the same breath share the execution.
      await Promise.resolve();
      const served = this.#wanting;
      this.#wanting = new Set();
      const result = await this.#resultOf(this.#value.of);
      for (const member of served) {
        if (result instanceof Error) member.end(result);
        else member.offer(result);
      }
    }
    this.#executing = null;
  }

  async #resultOf(value: unknown): Promise<ExecutionResult | Error> {
    try {
      return await this.#execute(value);
    } catch (error) {
      return toError(error);
    }
  }

  async #over(error: Error | null): Promise<void> {
    this.#onOver(this);
    // Who came last has not been served yet.
    await this.#executing;
    this.#members.forEach((member) => member.end(error));
  }
}

/** One member's view: the latest result that it has not taken. */
export class LatestSource implements PullSource<ExecutionResult> {
  readonly #join: (member: LatestSource) => () => void;
  #leave: (() => void) | null = null;
  #reader: PullReader | null = null;
  #latest: ExecutionResult | null = null;
  #isComplete = false;

  /** @param join called when the member is first read. @returns how to leave */
  constructor(join: (member: LatestSource) => () => void) {
    this.#join = join;
  }

  get isDry(): boolean {
    return this.#latest === null;
  }

  start(reader: PullReader): void {
    this.#reader = reader;
    this.#leave = this.#join(this);
  }

  release(): void {
    this.#latest = null;
    this.#leave?.();
  }

  pull(): Pulled<ExecutionResult> {
    const value = this.#latest;
    this.#latest = null;
    if (value) return { type: 'value', value };
    return { type: this.#isComplete ? 'end' : 'nothing' };
  }

  offer(result: ExecutionResult): void {
    this.#latest = result;
    this.#reader?.wake();
  }

  end(error: Error | null): void {
    this.#isComplete = true;
    if (error) this.#reader?.fail(error);
    else this.#reader?.wake();
  }
}

/** A member of the group of `key`, which it founds on its own source when it is the first. */
export function latestStream(
  source: AsyncIterable<unknown>,
  groups: Groups<LatestGroup>,
  key: string,
  execute: ExecuteFor,
): PullIterator<ExecutionResult> {
  const own = source[Symbol.asyncIterator]();
  return new PullIterator(
    new LatestSource((member) => {
      let isFounder = false;
      const { group, leave } = groups.join(key, () => {
        isFounder = true;
        return new LatestGroup(own, execute, (over) => groups.retire(key, over));
      });
      // Never read, so it holds nothing: this only tells it so.
      if (!isFounder) void own.return?.();
      group.add(member);
      return () => {
        leave();
        group.remove(member);
      };
    }),
  );
}
