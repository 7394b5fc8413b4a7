import type { IncomingMessage, ServerResponse } from 'node:http';
import { bearerToken } from '../auth/authenticate.ts';
import type { Authenticate, Credentials, Refusal } from '../auth/authentication.ts';
import type { Session, Sessions } from '../auth/sessions.ts';
import type { Log } from '../lib/log.ts';

export interface CallerDeps {
  readonly authenticate: Authenticate;
  readonly sessions: Sessions;
  readonly log: Log;
}

export interface HttpRefusal {
  readonly code: Refusal['code'] | 'UNAVAILABLE';
  readonly message: string;
}

/** Who sends a request, as of now. */
export type HttpCaller =
  { readonly session: Pick<Session, 'principal' | 'ended'> } | { readonly refusal: HttpRefusal };

/** Who sends a request and stays: until their session ends or is released. */
export type StayingCaller = { readonly session: Session } | { readonly refusal: HttpRefusal };

export async function identify(deps: CallerDeps, req: IncomingMessage): Promise<HttpCaller> {
  return unlessAway(deps.log, async () => {
    const { principal, refusal } = await deps.authenticate(credentialsOf(req));
    return refusal ? { refusal } : { session: { principal, ended: null } };
  });
}

/** @param onEnd called once, when the caller may nothing any more */
export async function identifyForLong(
  deps: CallerDeps,
  req: IncomingMessage,
  onEnd: () => void,
): Promise<StayingCaller> {
  return unlessAway<StayingCaller>(deps.log, () => deps.sessions.begin(credentialsOf(req), onEnd));
}

/** Who it is cannot be known while the database, or the identity provider, is away. */
async function unlessAway<T>(log: Log, ask: () => Promise<T>): Promise<T | { refusal: HttpRefusal }> {
  try {
    return await ask();
  } catch (err) {
    log.warn({ err }, 'a caller could not be authenticated');
    return {
      refusal: { code: 'UNAVAILABLE', message: 'It cannot be told just now who you are. Try again.' },
    };
  }
}

export function credentialsOf({ headers }: IncomingMessage): Credentials | null {
  const token = bearerToken(headers.authorization);
  if (token === null) return null;
  const organization = headers['x-organization'];
  return {
    token,
    organization: typeof organization === 'string' && organization !== '' ? organization : null,
  };
}

const STATUS = { UNAUTHENTICATED: 401, FORBIDDEN: 403, UNAVAILABLE: 503 };

export function refuse({ code, message }: HttpRefusal, req: IncomingMessage, res: ServerResponse): void {
  const headers = code === 'UNAUTHENTICATED' ? { 'www-authenticate': 'Bearer realm="millrace"' } : {};
  answerWithError(req, res, { status: STATUS[code], code, message, headers });
}

interface ErrorAnswer {
  readonly status: number;
  readonly code: string;
  readonly message: string;
  readonly headers?: Readonly<Record<string, string>>;
}

/** Answers a request with one GraphQL error, whatever of its body has come. */
export function answerWithError(
  req: IncomingMessage,
  res: ServerResponse,
  { status, code, message, headers = {} }: ErrorAnswer,
): void {
  const body = JSON.stringify({ errors: [{ message, extensions: { code } }] });
  const graphqlType = req.headers.accept?.includes('application/graphql-response+json');
  res.writeHead(status, {
    'content-type': `${graphqlType ? 'application/graphql-response+json' : 'application/json'}; charset=utf-8`,
    'content-length': Buffer.byteLength(body),
    ...headers,
    ...(req.complete ? {} : { connection: 'close' }),
  });
  res.end(body);
  req.resume();
}
