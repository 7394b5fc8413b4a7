import { errorOf, MillraceConnectionError, MillraceError } from './errors.ts';
import { parseResult, type Connection, type WireRequest } from './transport.ts';

/** One request and one answer. @throws MillraceError, MillraceConnectionError, or the signal's reason */
export async function request(
  connection: Connection,
  { query, variables }: WireRequest,
  signal: AbortSignal,
): Promise<unknown> {
  const response = await send(connection, { query, variables }, 'application/json', signal);
  const result = parseResult(await response.json().catch(() => null));
  if (!result) throw noAnswer(response);
  if (result.errors && result.errors.length > 0) throw errorOf(result.errors);
  return result.data;
}

/** Sends an operation. @throws MillraceConnectionError when nobody answers */
export async function send(
  { url, fetch, organization, ...connection }: Connection,
  body: WireRequest,
  accept: string,
  signal: AbortSignal,
): Promise<Response> {
  const token = await connection.token();
  try {
    return await fetch(url, {
      method: 'POST',
      headers: {
        'content-type': 'application/json',
        accept,
        authorization: `Bearer ${token}`,
        ...(organization === undefined ? {} : { 'x-organization': organization }),
      },
      body: JSON.stringify(body),
      signal,
    });
  } catch (error) {
    signal.throwIfAborted();
    throw new MillraceConnectionError(`${url} does not answer: ${String(error)}`);
  }
}

/** For an answer that is none of GraphQL: a proxy's page, a restart. */
export function noAnswer(response: Response): MillraceError {
  const message = `Expected a GraphQL answer, got HTTP ${response.status}.`;
  return response.status >= 500 ? new MillraceConnectionError(message) : new MillraceError(message);
}
