import type { IncomingMessage, ServerResponse } from 'node:http';
import { bearerToken } from '../auth/authenticate.ts';
import type { Authenticate, Credentials, Refusal } from '../auth/authentication.ts';
import { WINDOW_SECONDS, type Allowance } from '../auth/rate-limiter.ts';
import type { Session, Sessions } from '../auth/sessions.ts';
import type { ApiLimits } from '../domain/api-limits.ts';
import type { Log } from '../lib/log.ts';
import { GRAPHQL_PATH, type GraphQL } from './yoga.ts';

/** A reader that takes nothing for so long is cut off, in ms; to all others a ping goes every 12 s. */
const STALLED_MS = 60_000;

interface GraphQLHandlerOptions {
  readonly graphql: GraphQL;
  readonly authenticate: Authenticate;
  readonly sessions: Sessions;
  /** Answers that stay open; at shutdown they are cut, as an end would look like the end of the job */
  readonly streams: Set<ServerResponse>;
  readonly limits: Pick<ApiLimits, 'requestSeconds'>;
  readonly log: Log;
}

type Handler = (req: IncomingMessage, res: ServerResponse, requestId: string) => Promise<boolean>;

/** `/graphql` over HTTP: no operation without a token; a browser that opens the address gets GraphiQL. */
export function createGraphQLHandler(options: GraphQLHandlerOptions): Handler {
  const { graphql, streams, limits } = options;
  return async (req, res, requestId) => {
    if (req.url?.split('?', 1)[0] !== GRAPHQL_PATH) return false;
    limitRequest(req, limits.requestSeconds);
    const caller = await identify(options, req, res);
    if ('refusal' in caller && !wantsPage(req)) {
      refuse(caller.refusal, req, res);
      return true;
    }
    if (isStream(req)) {
      streams.add(res);
      res.setTimeout(STALLED_MS, () => res.destroy());
      res.on('close', () => streams.delete(res));
    }
    const session = 'session' in caller ? caller.session : null;
    await graphql(req, res, { session, requestId, onCharged: (allowance) => tellAllowance(res, allowance) });
    return true;
  };
}

type Caller =
  | { readonly session: Pick<Session, 'principal' | 'ended'> }
  | { readonly refusal: Pick<Refusal, 'message'> & { readonly code: Refusal['code'] | 'UNAVAILABLE' } };

const STATUS = { UNAUTHENTICATED: 401, FORBIDDEN: 403, UNAVAILABLE: 503 };

/** Who it is cannot be known while the database, or the identity provider, is away. */
async function identify(
  options: GraphQLHandlerOptions,
  req: IncomingMessage,
  res: ServerResponse,
): Promise<Caller> {
  try {
    return isStream(req) ? await beginStream(options, req, res) : await authenticateOnce(options, req);
  } catch (err) {
    options.log.warn({ err }, 'a caller could not be authenticated');
    return {
      refusal: { code: 'UNAVAILABLE', message: 'It cannot be told just now who you are. Try again.' },
    };
  }
}

const isStream = (req: IncomingMessage): boolean =>
  req.headers.accept?.includes('text/event-stream') ?? false;

async function authenticateOnce(
  { authenticate }: GraphQLHandlerOptions,
  req: IncomingMessage,
): Promise<Caller> {
  const { principal, refusal } = await authenticate(credentialsOf(req));
  return refusal ? { refusal } : { session: { principal, ended: null } };
}

/** A stream whose caller may nothing any more is cut: over SSE there is no other word for it. */
async function beginStream(
  { sessions }: GraphQLHandlerOptions,
  req: IncomingMessage,
  res: ServerResponse,
): Promise<Caller> {
  const begun = await sessions.begin(credentialsOf(req), () => res.destroy());
  if ('refusal' in begun) return begun;
  // Somebody may have gone meanwhile.
  if (res.destroyed) begun.session.release();
  else res.on('close', () => begun.session.release());
  return begun;
}

function credentialsOf({ headers }: IncomingMessage): Credentials | null {
  const token = bearerToken(headers.authorization);
  if (token === null) return null;
  const organization = headers['x-organization'];
  return {
    token,
    organization: typeof organization === 'string' && organization !== '' ? organization : null,
  };
}

/** The same condition under which Yoga answers with GraphiQL and runs nothing. */
function wantsPage(req: IncomingMessage): boolean {
  return req.method === 'GET' && (req.headers.accept?.includes('text/html') ?? false);
}

/** https://www.ietf.org/archive/id/draft-ietf-httpapi-ratelimit-headers-10.html */
function tellAllowance(res: ServerResponse, { limit, remaining, resetSeconds }: Allowance): void {
  if (res.headersSent) return;
  res.setHeader('ratelimit-policy', `"points";q=${limit};w=${WINDOW_SECONDS}`);
  res.setHeader('ratelimit', `"points";r=${remaining};t=${resetSeconds}`);
}

/** A client that is not done with its request after this long is cut off. */
function limitRequest(req: IncomingMessage, seconds: number): void {
  const cut = setTimeout(() => {
    if (!req.complete) req.destroy();
  }, seconds * 1_000);
  cut.unref();
  req.once('end', () => clearTimeout(cut));
  req.once('close', () => clearTimeout(cut));
}

function refuse(
  { code, message }: Extract<Caller, { refusal: object }>['refusal'],
  req: IncomingMessage,
  res: ServerResponse,
): void {
  const body = JSON.stringify({ errors: [{ message, extensions: { code } }] });
  const graphqlType = req.headers.accept?.includes('application/graphql-response+json');
  res.writeHead(STATUS[code], {
    'content-type': `${graphqlType ? 'application/graphql-response+json' : 'application/json'}; charset=utf-8`,
    'content-length': Buffer.byteLength(body),
    ...(code === 'UNAUTHENTICATED' ? { 'www-authenticate': 'Bearer realm="millrace"' } : {}),
    ...(req.complete ? {} : { connection: 'close' }),
  });
  res.end(body);
  req.resume();
}
