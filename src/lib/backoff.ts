export interface BackoffPolicy {
  /** Delay before the second attempt, in ms */
  readonly baseMs: number;
  /** No delay is longer, in ms */
  readonly maxMs: number;
  /** Share of the delay that is drawn by chance, 0 to 1: 0.5 gives 75 % to 125 % of it */
  readonly jitter?: number;
}

/**
 * Capped exponential backoff: base, 2 × base, 4 × base …
 * @param attempt the attempt that just failed, 1 for the first
 * @param random source of chance in [0, 1)
 * @returns ms to wait, never negative and never above `maxMs`
 */
export function backoffMs(
  policy: BackoffPolicy,
  attempt: number,
  random: () => number = Math.random,
): number {
  const exponent = Math.min(Math.max(attempt - 1, 0), 30);
  const delayMs = Math.min(policy.baseMs * 2 ** exponent, policy.maxMs);
  const jitter = policy.jitter ?? 0.5;
  return Math.min(policy.maxMs, Math.round(delayMs * (1 - jitter / 2 + jitter * random())));
}
