import { useCSRFPrevention } from '@graphql-yoga/plugin-csrf-prevention';
import { useDeferStream } from '@graphql-yoga/plugin-defer-stream';
import { renderGraphiQL } from '@graphql-yoga/render-graphiql';
import { createYoga, type GraphiQLOptions } from 'graphql-yoga';
import type { RateLimiter } from '../auth/rate-limiter.ts';
import type { Session } from '../auth/sessions.ts';
import type { Origin } from '../domain/activity.ts';
import { useAudit } from './audit.ts';
import { useAuthorization } from './authorization/use-authorization.ts';
import { restateBatchLimit } from './batch-limit.ts';
import { useBodyLimit } from './body-limit.ts';
import type { ApiServices, GraphQLContext } from './context.ts';
import { documentCaches } from './document-cache.ts';
import { useDocumentLimits } from './document-limits.ts';
import { problem } from './errors.ts';
import { EXAMPLE_OPERATIONS } from './examples.ts';
import { useHiddenSchema } from './hidden-schema.ts';
import { maskError, useErrorMasking } from './masking.ts';
import { useNestingLimit } from './nesting.ts';
import { useOrderedExecution } from './ordered-execution.ts';
import { usePersistedOperations, type PersistedOperations } from './persisted-operations.ts';
import { useQuotas } from './quotas.ts';
import { useRefusalTexts } from './refusal-texts.ts';
import { useResponseHeaders } from './response-headers.ts';
import { useSchemaAnswers } from './schema-answers.ts';
import { schema } from './schema.ts';
import { useSharedSubscriptions } from './shared-subscriptions.ts';
import type { StreamedOperation } from './sse/streamed-operation.ts';
import { useEventStreams } from './sse/use-event-streams.ts';
import { useStorableText } from './storable-text.ts';
import { useSubscriptions } from './subscriptions.ts';
import { useTimeLimit } from './time-limit.ts';
import { useUnconditionalSubscriptions } from './unconditional-subscriptions.ts';

export const GRAPHQL_PATH = '/graphql';

/** What the transport knows of an operation before GraphQL looks at it. */
export interface OperationCaller {
  /** Null only for requests that get GraphiQL's page */
  readonly session: Pick<Session, 'principal' | 'ended'> | null;
  readonly requestId: string;
  readonly origin: Origin;
  /** Told what the caller has left, where it can be passed on beside the answer */
  readonly onCharged?: GraphQLContext['onCharged'];
  /** Whose results go to an event stream, instead of into the answer */
  readonly operation?: StreamedOperation;
}

export interface YogaOptions {
  readonly services: ApiServices;
  readonly rateLimiter: RateLimiter;
  readonly persisted: PersistedOperations;
  /** Whether the schema may be asked for */
  readonly introspection: boolean;
  /** Filled into GraphiQL, so that a newcomer's first click works; null: people bring their own */
  readonly devToken: string | null;
}

/** GraphQL over HTTP and SSE, and the operations that the WebSocket transport runs. */
export function createGraphQL(options: YogaOptions) {
  const { services, rateLimiter, persisted, introspection, devToken } = options;
  const { log, limits } = services;
  return createYoga<OperationCaller, GraphQLContext>({
    schema,
    graphqlEndpoint: GRAPHQL_PATH,
    context: (caller) => contextOf(services, caller),
    logging: false,
    maskedErrors: { maskError: (error) => maskError(restateBatchLimit(error, limits), log) },
    // Ours is cheaper: Yoga's own counts each body in a stream.
    maxRequestBodySize: false,
    landingPage: false,
    parserAndValidationCache: documentCaches(),
    multipart: false,
    extraParamNames: ['documentId'],
    batching: limits.batchSize > 0 && { limit: limits.batchSize },
    cors: false,
    graphiql: graphiqlOptions(devToken),
    // The page with all of its code inside: nothing is loaded from elsewhere.
    renderGraphiQL,
    plugins: [
      // A bearer token is a header that no foreign page can send without a preflight.
      useCSRFPrevention({ requestHeaders: ['authorization', 'x-graphql-yoga-csrf'] }),
      usePersistedOperations(persisted),
      useDeferStream(),
      useEventStreams(),
      useDocumentLimits(limits),
      useNestingLimit(),
      useUnconditionalSubscriptions(),
      ...(introspection ? [] : [useHiddenSchema()]),
      useAudit(),
      useAuthorization(),
      useStorableText(),
      useQuotas({ limits, rateLimiter }),
      useOrderedExecution(),
      useSchemaAnswers(),
      useTimeLimit(limits),
      useSharedSubscriptions(),
      useErrorMasking(log),
      useSubscriptions({ limits, log }),
      useResponseHeaders(),
      useRefusalTexts(),
      useBodyLimit(limits),
    ],
  });
}

export type GraphQL = ReturnType<typeof createGraphQL>;

/** @throws GraphQLError when nobody has been authenticated: no transport may forget to */
export function contextOf(services: ApiServices, caller: OperationCaller): GraphQLContext {
  const { session, requestId, origin, onCharged = () => undefined } = caller;
  if (!session) throw problem('UNAUTHENTICATED', 'A bearer token is needed.');
  if (session.ended) throw problem(session.ended.code, session.ended.message);
  const { principal } = session;
  return { ...services, principal, session, requestId, origin, onCharged };
}

function graphiqlOptions(devToken: string | null): GraphiQLOptions {
  const headers = JSON.stringify({ authorization: `Bearer ${devToken ?? '<token>'}` }, null, 2);
  return {
    title: 'Millrace GraphiQL',
    headers,
    defaultTabs: EXAMPLE_OPERATIONS.map((query) => ({ query, headers })),
    shouldPersistHeaders: false,
    // A browser's WebSocket takes no headers: over SSE, subscriptions go by the headers editor as queries do.
    subscriptionsProtocol: 'SSE',
  };
}
