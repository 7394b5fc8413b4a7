const LONGEST_MS = 24 * 60 * 60_000;

/**
 * A Retry-After header as ms from `now`: seconds, or a date (RFC 9110 §10.2.3). Never negative, at most a day.
 * @returns undefined when there is none or it cannot be read
 */
export function retryAfterMs(header: string | null | undefined, now: Date): number | undefined {
  const text = header?.trim() ?? '';
  if (text === '') return undefined;
  const ms = /^\d+(\.\d+)?$/.test(text) ? Number(text) * 1_000 : Date.parse(text) - now.getTime();
  return Number.isNaN(ms) ? undefined : Math.min(LONGEST_MS, Math.max(0, Math.ceil(ms)));
}
