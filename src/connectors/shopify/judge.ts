import { z } from 'zod';
import { retryAfterMs } from '../../lib/retry-after.ts';
import type { ProviderAnswer } from '../client.ts';
import { ProviderError, type ProviderErrorKind } from '../provider-error.ts';
import { costOf, pauseMs } from './cost.ts';

/** Header with Shopify's own id of a request. */
export const REQUEST_ID_HEADER = 'x-request-id';

const MESSAGE_MAX = 200;

/** One of GraphQL's; a refusal by status has a text instead. */
const graphqlError = z.object({
  message: z.string().catch(''),
  extensions: z
    .object({ code: z.string().nullish().catch(null), requiredAccess: z.string().nullish().catch(null) })
    .nullish()
    .catch(null),
});
type GraphqlError = z.infer<typeof graphqlError>;

const errorBody = z.object({
  errors: z.union([z.array(graphqlError), z.string().transform((message): GraphqlError[] => [{ message }])]),
});

/** What has to happen after an answer; 5xx and answers without JSON are told by the client itself. */
export function judge(answer: ProviderAnswer, now: Date): ProviderError | null {
  const { status, json, headers } = answer;
  if (status >= 500 || (status < 400 && json === undefined)) return null;
  const body = errorBody.safeParse(json);
  const errors = body.success ? body.data.errors : [];
  const requestId = headers.get(REQUEST_ID_HEADER);
  if (status >= 400) return ofStatus(status, errors, { requestId, resumeAt: retryAt(headers, now) });
  if (errors.length > 0) return ofErrors(errors, json, { requestId, now });
  if (hasData.safeParse(json).success) return null;
  return new ProviderError('transient', 'Shopify answered without data.', { requestId });
}

const hasData = z.object({ data: z.object() });

/** How the token endpoint refuses. It may quote what it was sent, so only its error code is told. */
export function judgeExchange({ status, json, headers }: ProviderAnswer, now: Date): ProviderError | null {
  if (status < 400 || status >= 500) return null;
  const requestId = headers.get(REQUEST_ID_HEADER);
  const limited = ofLimit(status, { requestId, resumeAt: retryAt(headers, now) });
  if (limited) return limited;
  if (status === 404) return new ProviderError('bad_request', 'Shopify knows no such shop.', { requestId });
  const parsed = refusal.safeParse(json);
  const why = parsed.success ? parsed.data.error : `HTTP ${status}`;
  return new ProviderError('auth_expired', `Shopify refused to renew the access (${why}).`, { requestId });
}

const refusal = z.object({ error: z.string().regex(/^[a-z_]{1,60}$/) });

interface StatusDetails {
  readonly requestId: string | null;
  readonly resumeAt: Date | null;
}

/** @see https://shopify.dev/docs/api/usage/response-codes */
function ofStatus(status: number, errors: readonly GraphqlError[], details: StatusDetails): ProviderError {
  const { requestId } = details;
  const said = textOf(errors, `HTTP ${status}`);
  switch (status) {
    case 401:
      return new ProviderError('auth_expired', `Shopify refused the access token: ${said}`, { requestId });
    case 402:
      return new ProviderError('bad_request', `The Shopify shop is frozen: ${said}`, { requestId });
    case 403:
      return ofForbidden(errors, said, requestId);
    case 404:
      return new ProviderError('bad_request', `Shopify knows no such shop: ${said}`, { requestId });
    case 423:
      return new ProviderError('bad_request', `The Shopify shop is locked: ${said}`, { requestId });
    default:
      return (
        ofLimit(status, details) ??
        new ProviderError('bad_request', `Shopify refused the request: ${said}`, { requestId })
      );
  }
}

/** 430 is Shopify's own: it suspects an attack. */
function ofLimit(status: number, { requestId, resumeAt }: StatusDetails): ProviderError | null {
  if (status !== 429 && status !== 430) return null;
  const message = `Shopify has had too many requests (HTTP ${status}).`;
  return resumeAt
    ? new ProviderError('rate_limited', message, { requestId, resumeAt })
    : new ProviderError('transient', message, { requestId });
}

/** A public app's token that never expires is refused with 403, too ("Non-expiring access tokens are no longer …"). */
function ofForbidden(errors: readonly GraphqlError[], said: string, requestId: string | null): ProviderError {
  if (/access tokens?\b.*\bno longer accepted/i.test(said))
    return new ProviderError('auth_expired', `Shopify refused the access token: ${said}`, { requestId });
  return forbidden(errors, requestId, said);
}

function ofErrors(
  errors: readonly GraphqlError[],
  json: unknown,
  { requestId, now }: { readonly requestId: string | null; readonly now: Date },
): ProviderError {
  const codes = new Set(errors.map((error) => error.extensions?.code ?? ''));
  const said = textOf(errors, 'no reason given');
  if (codes.has('THROTTLED')) return throttled(json, requestId, now);
  if (codes.has('ACCESS_DENIED')) return forbidden(errors, requestId, said);
  const kind: ProviderErrorKind =
    codes.has('INTERNAL_SERVER_ERROR') || codes.has('TIMEOUT') ? 'transient' : 'bad_request';
  return new ProviderError(kind, `Shopify refused the query: ${said}`, { requestId });
}

/** Comes with HTTP 200, no data, and what is left of the points. */
function throttled(json: unknown, requestId: string | null, now: Date): ProviderError {
  const cost = costOf(json);
  const message = 'Shopify has had too many queries.';
  if (!cost) return new ProviderError('rate_limited', message, { requestId });
  const resumeAt = new Date(now.getTime() + Math.max(1_000, pauseMs(cost)));
  return new ProviderError('rate_limited', message, { requestId, resumeAt });
}

function forbidden(errors: readonly GraphqlError[], requestId: string | null, said: string): ProviderError {
  const texts = errors.flatMap(({ message, extensions }) => [extensions?.requiredAccess ?? '', message]);
  const scope = /\bread_[a-z_]+\b/.exec(texts.join(' '))?.[0];
  const details = scope === undefined ? { requestId } : { requestId, scope };
  return new ProviderError('forbidden_scope', `Shopify denied access: ${said}`, details);
}

function textOf(errors: readonly GraphqlError[], otherwise: string): string {
  const text = errors.map((error) => error.message).join(' ');
  return text === '' ? otherwise : text.slice(0, MESSAGE_MAX);
}

function retryAt(headers: Headers, now: Date): Date | null {
  const ms = retryAfterMs(headers.get('retry-after'), now);
  return ms === undefined ? null : new Date(now.getTime() + ms);
}
