import { z } from 'zod';
import { retryAfterMs } from '../../lib/retry-after.ts';
import type { ProviderAnswer } from '../client.ts';
import { ProviderError } from '../provider-error.ts';
import { endOfDay, endOfHour } from './quota.ts';

export const TITLE = 'Google Analytics';

/** https://cloud.google.com/apis/design/errors#http_mapping */
const apiError = z.object({
  error: z.object({
    message: z.string().default(''),
    status: z.string().default(''),
    details: z.array(z.unknown()).default([]),
  }),
});
const errorInfo = z.object({ reason: z.string() });

/** RFC 6749 §5.2 */
const tokenError = z.object({ error: z.string(), error_description: z.string().default('') });
/** What the token endpoint says when our request is wrong, and not what it was shown. */
const OUR_FAULT: readonly string[] = ['invalid_request', 'invalid_scope', 'unsupported_grant_type'];

const MESSAGE_LENGTH_MAX = 200;
const MINUTE_MS = 60_000;

/** What an answer of the Data API means; null: it is good, or says nothing that the status does not say. */
export function judgeReport(answer: ProviderAnswer, now: Date): ProviderError | null {
  const { status, headers, json } = answer;
  if (status < 400) return null;
  const parsed = apiError.safeParse(json);
  const { message, status: code, details } = parsed.data?.error ?? { message: '', status: '', details: [] };
  const text = sentence(TITLE, message || `HTTP ${status}`);
  if (status === 429 || code === 'RESOURCE_EXHAUSTED') return exhausted(text, message, { headers, now });
  if (status === 401) return new ProviderError('auth_expired', text);
  if (status === 403) return new ProviderError('forbidden_scope', text, { scope: missingIn(details) });
  return parsed.success ? new ProviderError(status >= 500 ? 'transient' : 'bad_request', text) : null;
}

/** What an answer of the token endpoint means. */
export function judgeToken({ status, headers, json }: ProviderAnswer, now: Date): ProviderError | null {
  if (status < 400 || status >= 500) return null;
  const { error = '', error_description: description = '' } = tokenError.safeParse(json).data ?? {};
  const text = sentence('Google', [error, description].filter(Boolean).join(': ') || `HTTP ${status}`);
  if (status === 429) {
    const waitMs = retryAfterMs(headers.get('retry-after'), now) ?? MINUTE_MS;
    return new ProviderError('rate_limited', text, { resumeAt: later(now, waitMs) });
  }
  return new ProviderError(OUR_FAULT.includes(error) ? 'bad_request' : 'auth_expired', text);
}

/**
 * Which quota is used up is told in words alone: "Exhausted property tokens for a project per hour. These quota tokens
 * will return in under an hour.", "Exhausted concurrent requests quota.", "Exhausted client errors quota. These quota
 * tokens will return in under 15 minutes."
 */
function exhausted(
  text: string,
  message: string,
  { headers, now }: { readonly headers: Headers; readonly now: Date },
): ProviderError {
  const askedMs = retryAfterMs(headers.get('retry-after'), now);
  if (askedMs !== undefined)
    return new ProviderError('rate_limited', text, { resumeAt: later(now, askedMs) });
  // Another request has to end first: nobody can say when.
  if (/concurrent/i.test(message)) return new ProviderError('rate_limited', text);
  return new ProviderError('rate_limited', text, { resumeAt: returnOf(message, now) });
}

function returnOf(message: string, now: Date): Date {
  const minutes = /(\d+) minutes/i.exec(message)?.[1];
  if (minutes !== undefined) return later(now, Number(minutes) * MINUTE_MS);
  if (/per minute/i.test(message)) return later(now, MINUTE_MS);
  return /per day|24 hours/i.test(message) ? endOfDay(now) : endOfHour(now);
}

/** A token lacks the scope, or a project the API; where Google gives neither reason, it is a role in the property. */
function missingIn(details: readonly unknown[]): string {
  const reasons = details.map((detail) => errorInfo.safeParse(detail).data?.reason);
  if (reasons.includes('ACCESS_TOKEN_SCOPE_INSUFFICIENT')) return 'analytics.readonly';
  return reasons.includes('SERVICE_DISABLED') ? 'analyticsdata.googleapis.com' : 'Viewer';
}

function later(now: Date, ms: number): Date {
  return new Date(now.getTime() + ms);
}

function sentence(who: string, said: string): string {
  const text = said.length > MESSAGE_LENGTH_MAX ? `${said.slice(0, MESSAGE_LENGTH_MAX - 1)}…` : said;
  return `${who} said: ${text}`;
}
