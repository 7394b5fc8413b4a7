import { z } from 'zod';
import { retryAfterMs } from '../../lib/retry-after.ts';
import type { ProviderAnswer } from '../client.ts';
import { ProviderError } from '../provider-error.ts';

/** For messages. */
export const TITLE = 'Stripe';
/** Header with Stripe's own id of a request. */
export const REQUEST_ID = 'request-id';

/** Of what Stripe said, more is not shown, in characters. */
const SAID_MAX = 200;
/** When Stripe asks not to be asked again and does not say until when, in ms. */
const SILENCE_MS = 60_000;

const refusal = z.object({
  error: z.object({ message: z.string().nullish(), code: z.string().nullish() }),
});

/**
 * 401 is a key that is no longer good, 403 one that lacks a permission, 409, 429 and 5xx pass, all else is our mistake
 * (https://docs.stripe.com/api/errors). A 429 with `lock_timeout` is somebody else's change of the same object, not our
 * pace (https://docs.stripe.com/rate-limits). Stripe-Should-Retry has the last word on whether to ask again at once.
 */
export function judge(answer: ProviderAnswer, now: Date): ProviderError | null {
  const { status, headers } = answer;
  if (status < 400) return null;
  const requestId = headers.get(REQUEST_ID);
  const { said, code, scope } = refusalOf(answer);
  if (status === 401)
    return new ProviderError('auth_expired', `${TITLE} refuses the key: ${said}`, { requestId });
  if (status === 403) {
    const message = `${TITLE} does not let the key read this: ${said}`;
    return new ProviderError('forbidden_scope', message, { requestId, ...(scope && { scope }) });
  }
  const shouldRetry = headers.get('stripe-should-retry');
  if (status !== 409 && status !== 429 && status < 500 && shouldRetry !== 'true')
    return new ProviderError('bad_request', `${TITLE} does not take the request: ${said}`, { requestId });
  const waitMs =
    retryAfterMs(headers.get('retry-after'), now) ?? (shouldRetry === 'false' ? SILENCE_MS : null);
  const message = `${TITLE} cannot answer now: ${said}`;
  if (waitMs !== null) {
    const resumeAt = new Date(now.getTime() + waitMs);
    return new ProviderError('rate_limited', message, { requestId, resumeAt });
  }
  const kind = status === 429 && code !== 'lock_timeout' ? 'rate_limited' : 'transient';
  return new ProviderError(kind, message, { requestId });
}

/** @throws ProviderError for an answer that is not what was asked for */
export function read<T>(schema: z.ZodType<T>, { json, headers }: ProviderAnswer): T {
  const parsed = schema.safeParse(json);
  if (parsed.success) return parsed.data;
  const message = `${TITLE} answered something else than was asked for: ${shortened(z.prettifyError(parsed.error))}`;
  throw new ProviderError('bad_request', message, { requestId: headers.get(REQUEST_ID) });
}

function refusalOf({ json, status }: ProviderAnswer) {
  const parsed = refusal.safeParse(json);
  const { message, code } = parsed.success ? parsed.data.error : {};
  const text = message ?? `HTTP ${status}`;
  // "Having the 'rak_charge_read' permission would allow this request to continue."
  const scope = /'(rak_\w+)'/.exec(text)?.[1];
  return { said: shortened(withoutKeys(text)), code, scope };
}

/** Stripe repeats the beginning and the end of a key in what it says of it. */
function withoutKeys(text: string): string {
  return text.replace(/\b[rsp]k_[\w*.…-]+/g, '(key)');
}

/** On one line. */
function shortened(said: string): string {
  const text = said.replace(/\s+/g, ' ');
  return text.length <= SAID_MAX ? text : `${text.slice(0, SAID_MAX - 1)}…`;
}
