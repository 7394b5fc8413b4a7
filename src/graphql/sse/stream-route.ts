import type { IncomingMessage, ServerResponse } from 'node:http';
import { originOf } from '../../domain/activity.ts';
import type { ApiLimits } from '../../domain/api-limits.ts';
import {
  answerWithError,
  credentialsOf,
  identify,
  identifyForLong,
  refuse,
  type CallerDeps,
} from '../http-caller.ts';
import { GRAPHQL_PATH, type GraphQL } from '../yoga.ts';
import type { EventStream } from './event-stream.ts';
import { EventStreams } from './event-streams.ts';
import { StreamedOperation } from './streamed-operation.ts';

export const EVENT_STREAM_PATH = `${GRAPHQL_PATH}/stream`;

interface StreamRouteOptions extends CallerDeps {
  readonly graphql: GraphQL;
  /** An event stream is to an organization what a socket is */
  readonly limits: Pick<ApiLimits, 'operationsPerSocket' | 'socketsPerOrganization'>;
  /** Told of each answer that stays open */
  readonly keepOpen: (res: ServerResponse) => void;
}

/** A request to the route, and what it says. */
interface Exchange {
  readonly req: IncomingMessage;
  readonly res: ServerResponse;
  readonly requestId: string;
  /** The stream's, not the caller's */
  readonly token: string | null;
  readonly search: URLSearchParams;
}

/**
 * GraphQL over Server-Sent Events in single connection mode: a client reserves a stream by PUT, connects it by GET, and
 * starts and stops operations on it by POST (or GET) and DELETE.
 * https://github.com/graphql/graphql-over-http/blob/main/rfcs/GraphQLOverSSE.md
 * @returns for each request, whether it is answered; one without a stream's token wants an answer of its own
 */
export function createStreamRoute(
  options: StreamRouteOptions,
): (req: IncomingMessage, res: ServerResponse, requestId: string) => Promise<boolean> {
  const streams = new EventStreams({ maxPerOrganization: options.limits.socketsPerOrganization });
  return async (req, res, requestId) => {
    const search = new URLSearchParams(req.url?.split('?')[1]);
    const exchange: Exchange = { req, res, requestId, search, token: tokenOf(req, search) };
    const isForStream = req.headers.accept?.includes('text/event-stream') ?? false;
    switch (req.method) {
      case 'PUT':
        await reserve(options, streams, exchange);
        return true;
      case 'DELETE':
        await withStream(options, streams, exchange, (stream) => stop(stream, exchange));
        return true;
      case 'GET':
      case 'POST':
        // What follows is Yoga's, which knows one path.
        req.url = `${GRAPHQL_PATH}?${search.toString()}`;
        if (exchange.token === null && isForStream) return false;
        if (isForStream && req.method === 'GET') {
          await withStream(options, streams, exchange, (stream) => connect(options, stream, exchange));
        } else await withStream(options, streams, exchange, (stream) => run(options, stream, exchange));
        return true;
      default:
        answerWithError(req, res, {
          status: 405,
          code: 'BAD_USER_INPUT',
          message: 'An event stream takes PUT, GET, POST and DELETE.',
          headers: { allow: 'PUT, GET, POST, DELETE' },
        });
        return true;
    }
  };
}

function tokenOf({ headers }: IncomingMessage, search: URLSearchParams): string | null {
  const token = headers['x-graphql-event-stream-token'] ?? search.get('token');
  return typeof token === 'string' && token !== '' ? token : null;
}

/** The session that begins here is the stream's: it is cut when its caller may nothing any more. */
async function reserve(
  options: StreamRouteOptions,
  streams: EventStreams,
  exchange: Exchange,
): Promise<void> {
  const { req, res } = exchange;
  const accept = req.headers.accept ?? '*/*';
  if (!/\*\/\*|text\/\*|text\/plain/.test(accept)) {
    answerWithError(req, res, { status: 406, code: 'BAD_USER_INPUT', message: 'A token is text/plain.' });
    return;
  }
  let stream: EventStream | null = null;
  const caller = await identifyForLong(options, req, () => stream?.close());
  const credentials = credentialsOf(req);
  if ('refusal' in caller || !credentials) {
    if ('refusal' in caller) refuse(caller.refusal, req, res);
    return;
  }
  const { session } = caller;
  stream = streams.reserve(session.principal.organization.id, credentials, () => session.release());
  if (!stream) {
    session.release();
    answerWithError(req, res, {
      status: 429,
      code: 'LIMIT_EXCEEDED',
      message: 'There are too many event streams. Close some.',
    });
    return;
  }
  res.writeHead(201, { 'content-type': 'text/plain; charset=utf-8', 'cache-control': 'no-store' });
  res.end(stream.token);
  req.resume();
}

/** Asks who it is, each time, and whether the stream is theirs. */
async function withStream(
  options: StreamRouteOptions,
  streams: EventStreams,
  { req, res, token }: Exchange,
  then: (stream: EventStream) => void | Promise<void>,
): Promise<void> {
  const caller = await identify(options, req);
  const credentials = credentialsOf(req);
  if ('refusal' in caller || !credentials) {
    if ('refusal' in caller) refuse(caller.refusal, req, res);
    return;
  }
  if (token === null) {
    const message = `Expected a stream's token in X-GraphQL-Event-Stream-Token. Without a stream, operations go to ${GRAPHQL_PATH}.`;
    answerWithError(req, res, { status: 400, code: 'BAD_USER_INPUT', message });
    return;
  }
  const stream = streams.find(token, credentials);
  if (stream) await then(stream);
  else
    answerWithError(req, res, { status: 404, code: 'NOT_FOUND', message: 'There is no such event stream.' });
}

function connect({ keepOpen }: StreamRouteOptions, stream: EventStream, { req, res }: Exchange): void {
  if (stream.isConnected) {
    const message = 'The event stream is connected already.';
    answerWithError(req, res, { status: 409, code: 'CONFLICT', message });
    return;
  }
  keepOpen(res);
  stream.connect(res);
}

/** An operation is its request's caller's: it ends with their session, though the stream may last. */
async function run(
  options: StreamRouteOptions,
  stream: EventStream,
  { req, res, requestId }: Exchange,
): Promise<void> {
  let operation: StreamedOperation | null = null;
  const caller = await identifyForLong(options, req, () => operation?.end());
  if ('refusal' in caller) {
    refuse(caller.refusal, req, res);
    return;
  }
  const { session } = caller;
  const own = new StreamedOperation(stream, options.limits.operationsPerSocket, () => session.release());
  operation = own;
  // A request that starts nothing must not look as if it did: this type's answers have a status of their own for that.
  req.headers.accept = 'application/graphql-response+json';
  try {
    await options.graphql(req, res, { session, requestId, origin: originOf(req), operation: own });
  } finally {
    if (!own.isStarted) own.end();
  }
}

function stop(stream: EventStream, { req, res, search }: Exchange): void {
  const id = search.get('operationId');
  if (id === null || id === '') {
    const message = 'operationId: expected the id of an operation in the query.';
    answerWithError(req, res, { status: 400, code: 'BAD_USER_INPUT', message });
    return;
  }
  stream.operations.get(id)?.end();
  res.writeHead(200, { 'content-length': 0 });
  res.end();
  req.resume();
}
