import type { IncomingMessage, ServerResponse } from 'node:http';
import { WINDOW_SECONDS, type Allowance } from '../auth/rate-limiter.ts';
import { originOf } from '../domain/activity.ts';
import type { ApiLimits } from '../domain/api-limits.ts';
import { identify, identifyForLong, refuse, type CallerDeps, type HttpCaller } from './http-caller.ts';
import { createStreamRoute, EVENT_STREAM_PATH } from './sse/stream-route.ts';
import { GRAPHQL_PATH, type GraphQL } from './yoga.ts';

/** A reader that takes nothing for so long is cut off, in ms; to all others a ping goes every 12 s. */
const STALLED_MS = 60_000;

interface GraphQLHandlerOptions extends CallerDeps {
  readonly graphql: GraphQL;
  /** Answers that stay open; at shutdown they are cut, as an end would look like the end of the job */
  readonly streams: Set<ServerResponse>;
  readonly limits: Pick<ApiLimits, 'requestSeconds' | 'operationsPerSocket' | 'socketsPerOrganization'>;
}

type Handler = (req: IncomingMessage, res: ServerResponse, requestId: string) => Promise<boolean>;

/**
 * `/graphql` over HTTP: no operation without a token; a browser that opens the address gets GraphiQL. Below it,
 * `/graphql/stream` is for clients that have one event stream for all of their operations.
 */
export function createGraphQLHandler(options: GraphQLHandlerOptions): Handler {
  const keepOpen = (res: ServerResponse): void => keepStream(res, options.streams);
  const answerStream = createStreamRoute({ ...options, keepOpen });
  return async (req, res, requestId) => {
    const path = req.url?.split('?', 1)[0];
    if (path !== GRAPHQL_PATH && path !== EVENT_STREAM_PATH) return false;
    limitRequest(req, options.limits.requestSeconds);
    // Media types have no case, and Yoga compares them as they come.
    if (req.headers['content-type']) req.headers['content-type'] = req.headers['content-type'].toLowerCase();
    if (path === GRAPHQL_PATH || !(await answerStream(req, res, requestId))) {
      await answer(options, req, res, { requestId, keepOpen });
    }
    return true;
  };
}

async function answer(
  options: GraphQLHandlerOptions,
  req: IncomingMessage,
  res: ServerResponse,
  { requestId, keepOpen }: { requestId: string; keepOpen: (res: ServerResponse) => void },
): Promise<void> {
  const isStream = req.headers.accept?.includes('text/event-stream') ?? false;
  const caller = isStream ? await beginStream(options, req, res) : await identify(options, req);
  if ('refusal' in caller && !wantsPage(req)) {
    refuse(caller.refusal, req, res);
    return;
  }
  if (isStream) keepOpen(res);
  const session = 'session' in caller ? caller.session : null;
  const onCharged = (allowance: Allowance): void => tellAllowance(res, allowance);
  await options.graphql(req, res, { session, requestId, origin: originOf(req), onCharged });
}

function keepStream(res: ServerResponse, streams: Set<ServerResponse>): void {
  streams.add(res);
  res.setTimeout(STALLED_MS, () => res.destroy());
  res.on('close', () => streams.delete(res));
}

/** A stream whose caller may nothing any more is cut: over SSE there is no other word for it. */
async function beginStream(deps: CallerDeps, req: IncomingMessage, res: ServerResponse): Promise<HttpCaller> {
  const begun = await identifyForLong(deps, req, () => res.destroy());
  if ('refusal' in begun) return begun;
  // Somebody may have gone meanwhile.
  if (res.destroyed) begun.session.release();
  else res.on('close', () => begun.session.release());
  return begun;
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
