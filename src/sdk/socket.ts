import { createClient, type Client } from 'graphql-ws/client';
import { errorOf, MillraceConnectionError, MillraceError } from './errors.ts';
import { isObject, parseResult, type Connection, type Subscribe, type WireResult } from './transport.ts';

/** Between two pings, and how long an answer may take, in ms. */
const PING_EVERY_MS = 10_000;
const PONG_WITHIN_MS = 5_000;
/** An unused socket stays open for so long, in ms: the next subscription often follows at once. */
const LINGER_MS = 1_000;
const FORBIDDEN = 4403;

export interface SocketTransport {
  readonly subscribe: Subscribe;
  close(): Promise<void>;
}

/**
 * Subscriptions over one WebSocket, opened when there is one to carry. It never reconnects by itself: whoever
 * subscribes knows from where to go on.
 * @param webSocketImpl the global WebSocket when absent; Node has one since 22
 */
export function createSocketTransport(connection: Connection, webSocketImpl: unknown): SocketTransport {
  let client: Client | undefined;
  let token = '';
  const params = () => ({ token, organization: connection.organization });
  const open = (): Client => (client ??= openClient(connection.url, params, webSocketImpl));
  return {
    async *subscribe({ query, variables }, signal) {
      // Before there is a socket: the server does not wait long for the token of one that is open.
      token = await connection.token();
      signal?.throwIfAborted();
      const results = open().iterate({ query, variables: { ...variables } });
      const stop = (): void => void results.return?.();
      signal?.addEventListener('abort', stop, { once: true });
      try {
        for await (const value of results) yield toResult(value);
      } catch (error) {
        throw toError(error);
      } finally {
        signal?.removeEventListener('abort', stop);
        stop();
      }
      signal?.throwIfAborted();
    },
    close: async () => client?.dispose(),
  };
}

function openClient(
  url: string,
  connectionParams: () => Record<string, unknown>,
  webSocketImpl: unknown,
): Client {
  let pongTimer: ReturnType<typeof setTimeout> | undefined;
  const client = createClient({
    url: url.replace(/^http/, 'ws'),
    connectionParams,
    webSocketImpl: webSocketImpl ?? globalThis.WebSocket,
    retryAttempts: 0,
    lazyCloseTimeout: LINGER_MS,
    keepAlive: PING_EVERY_MS,
    on: {
      ping: (received) => {
        if (!received) pongTimer = setTimeout(() => client.terminate(), PONG_WITHIN_MS);
      },
      pong: (received) => {
        if (received) clearTimeout(pongTimer);
      },
      closed: () => clearTimeout(pongTimer),
    },
  });
  return client;
}

function toResult(value: unknown): WireResult {
  const result = parseResult(value);
  if (!result) throw new MillraceError('Expected a GraphQL answer, got something else.');
  return result;
}

/** graphql-ws rejects with the errors of an operation, with the close event of the socket, or with its error. */
function toError(error: unknown): Error {
  if (Array.isArray(error)) return errorOf(parseResult({ errors: error })?.errors ?? []);
  if (error instanceof MillraceError) return error;
  if (isObject(error) && error['code'] === FORBIDDEN) return refusalOf(error['reason']);
  const reason =
    isObject(error) && typeof error['code'] === 'number' ? `code ${error['code']}` : String(error);
  return new MillraceConnectionError(`The WebSocket broke: ${reason}.`);
}

/** @param reason of the close, "CODE: why", as the server gives it; a proxy between may take it away */
function refusalOf(reason: unknown): MillraceError {
  const told = typeof reason === 'string' ? /^([A-Z_]+): (.+)$/.exec(reason) : null;
  const [, code = 'UNAUTHENTICATED', message = 'The server refuses the token, or the organization.'] =
    told ?? [];
  return new MillraceError(message, [], code);
}
