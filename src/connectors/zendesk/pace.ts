import { sleep } from '../../lib/abort.ts';
import { ProviderError } from '../provider-error.ts';
import { MINUTE_MS, TITLE } from './protocol.ts';

/** Incremental exports that an account may ask for in a minute, unless it is told more: [1] */
const EXPORTS_PER_MINUTE = 10;
/** Longer pauses are spent without a worker. */
const PATIENCE_MS = 5_000;

/**
 * Of the exports alone: "total=10; remaining=9; resets=2", the last in seconds. The documentation [1] has the name with
 * "-cursor", accounts were seen to send it without.
 */
const EXPORT_HEADER = 'zendesk-ratelimit-incremental-exports';

/** An allowance that is given out anew, all of it at once. */
interface Allowance {
  readonly left: number;
  /** In ms since 1970 */
  readonly renewedAt: number;
}

/**
 * How fast one run exports: in bursts of as many requests as a minute has, then not at all until the next minute. A
 * pause after each request would come to the same number of pages, and keep a worker waiting for all of them.
 *
 * [1] https://developer.zendesk.com/api-reference/ticketing/ticket-management/incremental_exports/
 * [2] https://developer.zendesk.com/documentation/api-basics/best-practices/best-practices-for-avoiding-rate-limiting
 */
export class ExportPace {
  #allowance: Allowance = { left: 0, renewedAt: 0 };

  /** Counts an answer. What Zendesk says in it of its limits goes above our own count. */
  count(headers: Headers, now: Date): void {
    const exports = exportsOf(headers, now) ?? this.#counted(now);
    const account = accountOf(headers, now);
    this.#allowance = account && account.left === 0 ? later(account, exports) : exports;
  }

  /**
   * Returns when the next request may be sent.
   * @throws ProviderError rate_limited when that is longer than a worker waits, or the signal's reason
   */
  async wait(now: Date, signal: AbortSignal): Promise<void> {
    const { left, renewedAt } = this.#allowance;
    const waitMs = renewedAt - now.getTime();
    if (left > 0 || waitMs <= 0) return;
    if (waitMs > PATIENCE_MS) {
      const resumeAt = new Date(renewedAt);
      const message = `${TITLE} gives out no more pages until ${resumeAt.toISOString()}.`;
      throw new ProviderError('rate_limited', message, { resumeAt });
    }
    await sleep(waitMs, signal);
    signal.throwIfAborted();
  }

  #counted(now: Date): Allowance {
    const { left, renewedAt } = this.#allowance;
    return now.getTime() < renewedAt
      ? { left: Math.max(0, left - 1), renewedAt }
      : { left: EXPORTS_PER_MINUTE - 1, renewedAt: now.getTime() + MINUTE_MS };
  }
}

/** Null: not told. */
function exportsOf(headers: Headers, now: Date): Allowance | null {
  const told = [...headers].find(([name]) => name.startsWith(EXPORT_HEADER))?.[1] ?? '';
  const left = wholeOf(/\bremaining=(\d+)/.exec(told)?.[1]);
  const resets = wholeOf(/\bresets=(\d+)/.exec(told)?.[1]);
  return left === null || resets === null ? null : { left, renewedAt: now.getTime() + resets * 1_000 };
}

/** Of all requests of the account [2]. Null: not told. */
function accountOf(headers: Headers, now: Date): Allowance | null {
  const left = wholeOf(headers.get('ratelimit-remaining') ?? headers.get('x-rate-limit-remaining'));
  const resets = wholeOf(headers.get('ratelimit-reset'));
  const waitMs = resets === null ? MINUTE_MS : resets * 1_000;
  return left === null ? null : { left, renewedAt: now.getTime() + waitMs };
}

/** Both have to be waited for where both are used up. */
function later(used: Allowance, other: Allowance): Allowance {
  return other.left === 0 && other.renewedAt > used.renewedAt ? other : used;
}

function wholeOf(text: string | null | undefined): number | null {
  return text != null && /^\d{1,9}$/.test(text) ? Number(text) : null;
}
