import { z } from 'zod';
import type { ProviderAnswer } from '../client.ts';
import { ProviderError } from '../provider-error.ts';

export const TITLE = 'Mailchimp';
/** Header with Mailchimp's own id of the request. */
export const REQUEST_ID = 'x-request-id';

/** RFC 9457; https://mailchimp.com/developer/marketing/docs/errors/ */
const problem = z.object({ title: z.string(), detail: z.string().default('') });
/** What a key or a token of Mailchimp looks like: no message repeats one. */
const SECRET = /[0-9a-f]{32}(-[a-z]+\d+)?/gi;

/** What an answer means; null: it is good. */
export function judge({ status, json, headers }: ProviderAnswer): ProviderError | null {
  if (status < 400) return null;
  const { title, detail } = problem.safeParse(json).data ?? { title: `HTTP ${status}`, detail: '' };
  const said = [title, detail].filter(Boolean).join(': ').replace(SECRET, '…').slice(0, 200);
  const details = { requestId: headers.get(REQUEST_ID) };
  // Whoever asks far too much is turned away by a server in front of the API, with no JSON and sometimes no body.
  if (status === 429 || (status === 403 && json === undefined))
    return new ProviderError('rate_limited', `${TITLE} asks us to be slower: ${said}`, details);
  if (status === 401) return new ProviderError('auth_expired', `${TITLE} refuses the key: ${said}`, details);
  if (status >= 500) return new ProviderError('transient', `${TITLE} has trouble: ${said}`, details);
  // A good key that was shown at another data center than its own.
  if (status === 403 && !/data\s?cent/i.test(title))
    return new ProviderError('forbidden_scope', `${TITLE} does not allow it: ${said}`, {
      ...details,
      scope: title.slice(0, 200),
    });
  return new ProviderError('bad_request', `${TITLE} refuses the request: ${said}`, details);
}

/** @throws ProviderError for an answer of another shape */
export function read<Shape>(shape: z.ZodType<Shape>, { json, headers }: ProviderAnswer): Shape {
  const parsed = shape.safeParse(json);
  if (parsed.success) return parsed.data;
  throw new ProviderError('bad_request', `${TITLE} answered something else than was asked for.`, {
    requestId: headers.get(REQUEST_ID),
    cause: parsed.error,
  });
}
