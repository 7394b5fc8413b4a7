import type { IncomingMessage, ServerResponse } from 'node:http';
import { bearerToken, type Authenticate } from '../auth/authenticate.ts';
import { GRAPHQL_PATH, type GraphQL } from './yoga.ts';

/** A client that is not done with its request after this long is cut off, in ms. */
const REQUEST_TIMEOUT_MS = 30_000;

/** A reader that takes nothing for so long is cut off, in ms; to all others a ping goes every 12 s. */
const STALLED_MS = 60_000;

interface GraphQLHandlerOptions {
  readonly graphql: GraphQL;
  readonly authenticate: Authenticate;
  /** Answers that stay open; at shutdown they are cut, as an end would look like the end of the job */
  readonly streams: Set<ServerResponse>;
}

type Handler = (req: IncomingMessage, res: ServerResponse, requestId: string) => Promise<boolean>;

/** `/graphql` over HTTP: no operation without a token; a browser that opens the address gets GraphiQL. */
export function createGraphQLHandler({ graphql, authenticate, streams }: GraphQLHandlerOptions): Handler {
  return async (req, res, requestId) => {
    if (req.url?.split('?', 1)[0] !== GRAPHQL_PATH) return false;
    limitRequest(req);
    const principal = await authenticate(bearerToken(req.headers.authorization));
    if (!principal && !wantsPage(req)) {
      refuseUnauthenticated(req, res);
      return true;
    }
    if (req.headers.accept?.includes('text/event-stream')) {
      streams.add(res);
      res.setTimeout(STALLED_MS, () => res.destroy());
      res.on('close', () => streams.delete(res));
    }
    await graphql(req, res, { principal, requestId });
    return true;
  };
}

/** The same condition under which Yoga answers with GraphiQL and runs nothing. */
function wantsPage(req: IncomingMessage): boolean {
  return req.method === 'GET' && (req.headers.accept?.includes('text/html') ?? false);
}

function limitRequest(req: IncomingMessage): void {
  const cut = setTimeout(() => {
    if (!req.complete) req.destroy();
  }, REQUEST_TIMEOUT_MS);
  cut.unref();
  req.once('end', () => clearTimeout(cut));
  req.once('close', () => clearTimeout(cut));
}

function refuseUnauthenticated(req: IncomingMessage, res: ServerResponse): void {
  const message = req.headers.authorization
    ? 'This token is unknown or was revoked.'
    : 'A token is needed: send it as "Authorization: Bearer <token>".';
  const body = JSON.stringify({ errors: [{ message, extensions: { code: 'UNAUTHENTICATED' } }] });
  const graphqlType = req.headers.accept?.includes('application/graphql-response+json');
  res.writeHead(401, {
    'content-type': `${graphqlType ? 'application/graphql-response+json' : 'application/json'}; charset=utf-8`,
    'content-length': Buffer.byteLength(body),
    'www-authenticate': 'Bearer realm="millrace"',
    ...(req.complete ? {} : { connection: 'close' }),
  });
  res.end(body);
  req.resume();
}
