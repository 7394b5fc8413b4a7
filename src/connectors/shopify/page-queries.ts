import { sleep } from '../../lib/abort.ts';
import type { PullContext } from '../connector.ts';
import { ProviderError } from '../provider-error.ts';
import { pauseMs, type QueryCost } from './cost.ts';
import { ask, type Query } from './query.ts';

type Points = QueryCost['throttleStatus'];

/** None of them costs more: at 100 points a second, Shopify's slowest, so many come back within 5 s. */
export const POINTS_MAX = 500;
/** Nothing that Shopify sells has a slower rate than would need so long, in ms. */
const PAUSE_MAX_MS = 30_000;

/**
 * What has to be asked besides a page before the page is whole. Where there are no points for it, it is waited for with
 * the worker: whoever came back later would begin with the page again, and might never get to its end.
 */
export class PageQueries {
  readonly #ctx: PullContext<unknown>;
  #points: Points | null;

  /** @param points left after the page itself; null: Shopify did not tell */
  constructor(ctx: PullContext<unknown>, points: Points | null) {
    this.#ctx = ctx;
    this.#points = points;
  }

  /** After the last answer that told; null: none did. */
  get points(): Points | null {
    return this.#points;
  }

  /** @throws ProviderError, or the signal's reason */
  async ask<Data>(query: Query<Data>): Promise<Data> {
    if (this.#points) await this.#pause(this.#points);
    const { data, cost } = await ask(this.#ctx.client, query, this.#ctx.signal);
    this.#points = cost?.throttleStatus ?? this.#points;
    return data;
  }

  async #pause(throttleStatus: Points): Promise<void> {
    const { signal, now } = this.#ctx;
    const ms = pauseMs({ requestedQueryCost: POINTS_MAX, throttleStatus });
    if (ms > PAUSE_MAX_MS) {
      const resumeAt = new Date(now().getTime() + ms);
      throw new ProviderError('rate_limited', 'Shopify has had enough queries for now.', { resumeAt });
    }
    await sleep(ms, signal);
    signal.throwIfAborted();
  }
}
