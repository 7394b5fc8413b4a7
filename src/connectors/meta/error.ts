import { z } from 'zod';
import type { ProviderAnswer } from '../client.ts';
import { ProviderError, type ProviderErrorKind } from '../provider-error.ts';
import { usageOf } from './usage.ts';

/** A refusal after which less has to be asked for: fewer days, or fewer metrics. */
type AskLess = 'days' | 'metrics';

/** An error of the Graph API, with what an entity may do about it itself. */
export class MetaError extends ProviderError {
  readonly askLess: AskLess | null;

  constructor(
    kind: ProviderErrorKind,
    message: string,
    {
      askLess,
      ...details
    }: ConstructorParameters<typeof ProviderError>[2] & { readonly askLess: AskLess | null },
  ) {
    super(kind, message, details);
    this.askLess = askLess;
  }
}

export function asksForLess(error: unknown, what: AskLess): boolean {
  return error instanceof MetaError && error.askLess === what;
}

/** https://developers.facebook.com/docs/graph-api/guides/error-handling; it comes with any status, 200 included. */
const refusal = z.object({
  error: z.object({
    message: z.string().catch(''),
    code: z.coerce.number().nullable().catch(null),
    error_subcode: z.coerce.number().nullable().catch(null),
    is_transient: z.boolean().catch(false),
    fbtrace_id: z.string().nullable().catch(null),
  }),
});
type Refusal = z.infer<typeof refusal>['error'];

/**
 * "code/subcode" of queries that are too large:
 * https://developers.facebook.com/docs/marketing-api/insights/error-codes. Code 1 says the same in words alone:
 * https://github.com/singer-io/tap-facebook/issues/65
 */
const TOO_LARGE = new Set(['100/1504018', '2/1504038']);
/** Of an app, a user, a Page, and of what one business does; the codes from 80000 are one for each of its uses. */
const RATE_CODES = new Set([4, 17, 32, 341, 613]);
const AUTH_CODES = new Set([102, 190]);
const TRANSIENT_CODES = new Set([1, 2]);

function isTooLarge({ code, error_subcode, message }: Refusal): boolean {
  return (
    TOO_LARGE.has(`${code}/${error_subcode}`) || (code === 1 && /reduce the amount of data/i.test(message))
  );
}

function isRateLimit(code: number): boolean {
  return RATE_CODES.has(code) || (code >= 80_000 && code <= 80_014);
}

function isPermission(code: number): boolean {
  return code === 3 || code === 10 || (code >= 200 && code <= 299);
}

function askLessOf(error: Refusal): AskLess | null {
  if (isTooLarge(error)) return 'days';
  return error.code === 100 && /metric/i.test(error.message) ? 'metrics' : null;
}

function kindOf(error: Refusal, status: number): ProviderErrorKind {
  const { code, is_transient: isTransient } = error;
  if (askLessOf(error) !== null) return 'bad_request';
  if (code !== null && AUTH_CODES.has(code)) return 'auth_expired';
  if (code !== null && isPermission(code)) return 'forbidden_scope';
  if (code !== null && isRateLimit(code)) return 'rate_limited';
  if (isTransient || (code === null ? status >= 500 : TRANSIENT_CODES.has(code))) return 'transient';
  return code === null && status === 401 ? 'auth_expired' : 'bad_request';
}

const BEGINNINGS: Readonly<Record<ProviderErrorKind, string>> = {
  auth_expired: 'Meta refuses the token',
  forbidden_scope: 'Meta does not allow it',
  rate_limited: 'Meta asks us to be slower',
  transient: 'Meta has trouble',
  bad_request: 'Meta refuses the request',
};

/** Tokens, which Meta repeats in "Malformed access token …", are long; the words and the names of metrics are not. */
const SECRET = /[A-Za-z0-9|]{24,}/g;
/** As Meta names permissions: "ads_read". */
const PERMISSION = /\b(?:ads|business|catalog|instagram|pages|read)_[a-z_]+\b/;

/** What an answer means: `error` counts, whatever the status is. */
export function judge({ json, status, headers }: ProviderAnswer, now: Date): ProviderError | null {
  const parsed = refusal.safeParse(json);
  if (!parsed.success)
    return status === 401 ? new ProviderError('auth_expired', `${BEGINNINGS.auth_expired}.`) : null;
  const { error } = parsed.data;
  const kind = kindOf(error, status);
  const said = error.message.replace(SECRET, '…').slice(0, 200) || `error ${error.code ?? status}`;
  const { regainMs } = usageOf(headers);
  const scope = PERMISSION.exec(error.message)?.[0];
  return new MetaError(kind, `${BEGINNINGS[kind]}: ${said}`, {
    askLess: askLessOf(error),
    requestId: error.fbtrace_id ?? headers.get('x-fb-trace-id'),
    ...(kind === 'rate_limited' && regainMs !== null ? { resumeAt: new Date(now.getTime() + regainMs) } : {}),
    ...(kind === 'forbidden_scope' && scope !== undefined ? { scope } : {}),
  });
}
