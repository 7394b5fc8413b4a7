import { WEBHOOK_DELAYS_MS } from '../jobs/webhook-delivery.ts';

/** What an endpoint's answer, or its silence, means for the delivery. */
export type WebhookVerdict =
  | { readonly type: 'delivered' }
  /** It wants no more of them, ever */
  | { readonly type: 'gone'; readonly message: string }
  | { readonly type: 'failed'; readonly message: string; readonly retryAfterMs: number | null };

/** An endpoint may ask for so much patience, in ms. */
const RETRY_AFTER_MAX_MS = 24 * 60 * 60_000;

/** @param retryAfter the header, as it came */
export function judgeAnswer(status: number, retryAfter: string | undefined, now: Date): WebhookVerdict {
  if (status >= 200 && status < 300) return { type: 'delivered' };
  if (status === 410)
    return { type: 'gone', message: 'The endpoint answered 410: it wants no more webhooks.' };
  if (status >= 300 && status < 400)
    return failed(`The endpoint answered ${status}; redirects are not followed.`, null);
  return failed(`The endpoint answered ${status}.`, retryAfterMs(retryAfter, now));
}

function failed(message: string, wantedMs: number | null): WebhookVerdict {
  return { type: 'failed', message, retryAfterMs: wantedMs };
}

/** Seconds or a date (RFC 9110); null for what is neither. */
function retryAfterMs(header: string | undefined, now: Date): number | null {
  if (header === undefined) return null;
  const ms = /^\d{1,9}$/.test(header) ? Number(header) * 1_000 : Date.parse(header) - now.getTime();
  return Number.isNaN(ms) ? null : Math.min(Math.max(ms, 0), RETRY_AFTER_MAX_MS);
}

/**
 * How long to wait after a failed attempt, in ms: as the schedule has it, up to a tenth more by chance, and not shorter
 * than the endpoint wants. @returns null after the last
 */
export function webhookDelayMs(
  attempt: number,
  retryAfter: number | null,
  random: () => number = Math.random,
): number | null {
  const scheduled = WEBHOOK_DELAYS_MS[attempt - 1];
  if (scheduled === undefined) return null;
  return Math.round(Math.max(scheduled * (1 + random() / 10), retryAfter ?? 0));
}
