import type { ProviderAnswer } from '../client.ts';
import { asksForLess } from './error.ts';

type Ask = (metrics: readonly string[]) => Promise<ProviderAnswer>;

/** The metrics that one run asks for. Meta retires some each year, and refuses all of a request for one of them. */
export class Metrics {
  #names: readonly string[];
  #notes: string[] = [];

  constructor(names: readonly string[]) {
    this.#names = names;
  }

  /**
   * Asks for all of them together, or one by one when Meta refuses one; what is refused is not asked for again.
   * @throws ProviderError when nothing is left
   */
  async read(ask: Ask): Promise<[ProviderAnswer, ...ProviderAnswer[]]> {
    try {
      return [await ask(this.#names)];
    } catch (error) {
      if (!asksForLess(error, 'metrics')) throw error;
      const answers = await this.#readEach(ask);
      const [first, ...others] = answers;
      if (!first) throw error;
      return [first, ...others];
    }
  }

  /** What became of them since the last time, for people. */
  takeNotes(): readonly string[] {
    return this.#notes.splice(0);
  }

  async #readEach(ask: Ask): Promise<ProviderAnswer[]> {
    const answers: ProviderAnswer[] = [];
    const left: string[] = [];
    for (const name of this.#names) {
      try {
        answers.push(await ask([name]));
        left.push(name);
      } catch (error) {
        if (!asksForLess(error, 'metrics')) throw error;
        this.#notes.push(`Meta no longer tells ${name}: it is left out.`);
      }
    }
    this.#names = left;
    return answers;
  }
}
