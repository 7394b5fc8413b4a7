import { z } from 'zod';
import { retryAfterMs } from '../../lib/retry-after.ts';
import type { ProviderAnswer } from '../client.ts';
import { ProviderError, type ProviderErrorKind } from '../provider-error.ts';

export const TITLE = 'Zendesk';
/** Zendesk's support finds a request by it. */
export const REQUEST_ID_HEADER = 'x-zendesk-request-id';

/** All of Zendesk's limits are per minute. */
export const MINUTE_MS = 60_000;

const SAID_LENGTH_MAX = 200;

const words = z.string().optional().catch(undefined);
const detailed = z.object({ code: words, title: words, message: words, detail: words });

/** Errors come as a word with a description, as an object, and as a list; OAuth's have names of their own. */
const errorBody = z.object({
  error: z.union([z.string(), detailed]).optional().catch(undefined),
  description: words,
  error_description: words,
  errors: z.array(detailed).optional().catch(undefined),
});

/** What an API answer means; null: it is good, or no more than its status says. */
export function judge(answer: ProviderAnswer, now: Date): ProviderError | null {
  const { status, json } = answer;
  if (status === 401) return refusal(answer, 'auth_expired', 'does not accept the token any more');
  if (status < 300 && isNobody(json)) return refusal(answer, 'auth_expired', 'does not know who is asking');
  if (status === 403) {
    // Its words, where it has some: an OAuth scope is missing, or the role that may export.
    const scope = /scope/i.test(wordsOf(json)) ? 'read' : 'admin';
    return refusal(
      answer,
      'forbidden_scope',
      `asks for ${scope === 'read' ? 'the scope' : 'the role'} “${scope}”`,
      { scope },
    );
  }
  if (status === 404) return refusal(answer, 'bad_request', 'has nothing there; the subdomain may be wrong');
  return judgeLimits(answer, now) ?? judgeRequest(answer);
}

/** What an answer of the token endpoint means. */
export function judgeGrant(answer: ProviderAnswer, now: Date): ProviderError | null {
  const isRefused = answer.status === 400 || answer.status === 401 || answer.status === 403;
  if (isRefused) return refusal(answer, 'auth_expired', 'did not renew the token');
  return judgeLimits(answer, now) ?? judgeRequest(answer);
}

/** 503 with Retry-After is maintenance; without it, an error that may be over at once. */
function judgeLimits(answer: ProviderAnswer, now: Date): ProviderError | null {
  const { status, headers } = answer;
  const askedMs = retryAfterMs(headers.get('retry-after'), now);
  if (status !== 429 && !(status === 503 && askedMs !== undefined)) return null;
  const resumeAt = new Date(now.getTime() + (askedMs ?? MINUTE_MS));
  return refusal(answer, 'rate_limited', status === 429 ? 'was asked too often' : 'is being maintained', {
    resumeAt,
  });
}

function judgeRequest(answer: ProviderAnswer): ProviderError | null {
  const { status } = answer;
  return status >= 400 && status < 500 ? refusal(answer, 'bad_request', `answered HTTP ${status}`) : null;
}

function refusal(
  { headers, json }: ProviderAnswer,
  kind: ProviderErrorKind,
  what: string,
  details: { readonly scope?: string; readonly resumeAt?: Date } = {},
): ProviderError {
  const said = wordsOf(json);
  const message = said === '' ? `${TITLE} ${what}.` : `${TITLE} ${what}: ${said}`;
  return new ProviderError(kind, message, { requestId: headers.get(REQUEST_ID_HEADER), ...details });
}

/** Whoever is not signed in is answered 200 at /users/me, as a visitor of the help centre. */
function isNobody(json: unknown): boolean {
  return z.object({ user: z.object({ id: z.null() }) }).safeParse(json).success;
}

/** What Zendesk says of an error, shortened; empty where it says nothing. */
function wordsOf(json: unknown): string {
  const parsed = errorBody.safeParse(json);
  if (!parsed.success) return '';
  const { error, errors = [], description, error_description } = parsed.data;
  const details = [typeof error === 'string' ? { title: error } : error, ...errors].map((each) =>
    each ? Object.values(each) : [],
  );
  const said = [...details.flat(), description, error_description].filter((text) => text !== undefined);
  // No word is that long: it would be a token that it was sent.
  return said
    .join(': ')
    .replace(/[\w-]{32,}/g, '…')
    .slice(0, SAID_LENGTH_MAX);
}
