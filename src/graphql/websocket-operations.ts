import { randomUUID } from 'node:crypto';
import {
  getOperationAST,
  GraphQLError,
  type DocumentNode,
  type ExecutionArgs,
  type GraphQLSchema,
} from 'graphql';
import { CloseCode, type ServerOptions, type SubscribePayload } from 'graphql-ws';
import { z } from 'zod';
import type { Refusal } from '../auth/authentication.ts';
import type { Sessions } from '../auth/sessions.ts';
import type { ApiLimits } from '../domain/api-limits.ts';
import type { Log } from '../lib/log.ts';
import { Slots } from '../lib/slots.ts';
import { withoutInternals } from './encode-result.ts';
import { problem } from './errors.ts';
import { LiveOperation } from './live-operation.ts';
import { maskError } from './masking.ts';
import type { PersistedOperations } from './persisted-operations.ts';
import type { SocketConnection } from './websocket-connection.ts';
import type { GraphQL } from './yoga.ts';

export interface SocketOperationsDeps {
  readonly graphql: GraphQL;
  readonly persisted: PersistedOperations;
  readonly sessions: Sessions;
  readonly limits: Pick<
    ApiLimits,
    'operationsPerSocket' | 'socketsPerOrganization' | 'connectionInitSeconds'
  >;
  readonly log: Log;
}

export type SocketOperations = ServerOptions<Record<string, unknown>, SocketConnection>;
type SocketContext = Parameters<NonNullable<SocketOperations['onSubscribe']>>[0];

/** https://www.iana.org/assignments/websocket/websocket.xhtml#close-code-number; clients come back, unlike after 4500 */
const TRY_AGAIN_LATER = 1013;

const connectionParams = z.object({ token: z.string(), organization: z.string().min(1).nullish() });

/** What Yoga gives to run one operation with all its plugins; its own types leave most of it open. */
interface Enveloped {
  readonly schema: GraphQLSchema;
  readonly parse: (source: string) => DocumentNode;
  readonly validate: (schema: GraphQLSchema, document: DocumentNode) => readonly GraphQLError[];
  readonly contextFactory: () => unknown;
  readonly execute: NonNullable<SocketOperations['execute']>;
  readonly subscribe: NonNullable<SocketOperations['subscribe']>;
}

interface Prepared {
  readonly enveloped: Enveloped;
  readonly operation: LiveOperation;
}

/** What graphql-ws asks about the operations on a socket: who may run which, and how. */
export function socketOperations(deps: SocketOperationsDeps): SocketOperations {
  const { graphql, persisted, sessions, limits, log } = deps;
  const places = new Slots(limits.socketsPerOrganization);
  const prepared = new WeakMap<ExecutionArgs, Prepared>();
  const preparedOf = (args: ExecutionArgs): Prepared => {
    const found = prepared.get(args);
    if (!found) throw new Error('an operation came that was not prepared');
    return found;
  };

  /** Whatever is wrong with one operation is its own error: thrown, it would end the socket and all others on it. */
  async function prepare(
    ctx: SocketContext,
    payload: SubscribePayload,
    operation: LiveOperation,
  ): Promise<ExecutionArgs | readonly GraphQLError[]> {
    const requestId = randomUUID();
    try {
      if (Object.keys(ctx.subscriptions).length > limits.operationsPerSocket) {
        throw problem(
          'LIMIT_EXCEEDED',
          `At most ${limits.operationsPerSocket} operations may run on one socket.`,
        );
      }
      const { session, origin } = ctx.extra;
      const enveloped: Enveloped = graphql.getEnveloped({ session, requestId, origin, params: payload });
      const document = parseWith(enveloped, persisted.textOf(payload) ?? '');
      const errors = enveloped.validate(enveloped.schema, document);
      if (errors.length > 0) return errors;
      // graphql-ws would say so in an error without a code.
      if (!getOperationAST(document, payload.operationName)) {
        throw problem('BAD_USER_INPUT', 'operationName: expected the name of one of the operations.');
      }
      const args: ExecutionArgs = {
        schema: enveloped.schema,
        document,
        operationName: payload.operationName ?? null,
        variableValues: payload.variables ?? null,
        contextValue: await enveloped.contextFactory(),
      };
      prepared.set(args, { enveloped, operation });
      return args;
    } catch (error) {
      return [maskError(error, log, requestId)];
    }
  }

  return {
    connectionInitWaitTimeout: limits.connectionInitSeconds * 1_000,
    async onConnect(ctx) {
      const params = connectionParams.safeParse(ctx.connectionParams);
      if (!params.success) return false;
      const { token, organization = null } = params.data;
      const connection = ctx.extra;
      try {
        const refuse = (refusal: Refusal): void => connection.close(CloseCode.Forbidden, reasonOf(refusal));
        const begun = await sessions.begin({ token, organization }, refuse);
        if ('refusal' in begun) {
          refuse(begun.refusal);
          return false;
        }
        const leave = places.take(begun.session.principal.organization.id);
        connection.hold(begun.session, leave);
        if (leave) return true;
        connection.close(TRY_AGAIN_LATER, noRoom(limits.socketsPerOrganization));
        return false;
      } catch (err) {
        log.warn({ err }, 'a caller could not be authenticated');
        connection.close(TRY_AGAIN_LATER, 'Try again later');
        return false;
      }
    },
    async onSubscribe(ctx, id, payload) {
      const operation = new LiveOperation(ctx.extra, id);
      ctx.subscriptions[id] = operation;
      return operation.unlessOver(await prepare(ctx, payload, operation));
    },
    async execute(args) {
      const { enveloped, operation } = preparedOf(args);
      return operation.start(await enveloped.execute(args));
    },
    async subscribe(args) {
      const { enveloped, operation } = preparedOf(args);
      return operation.start(await enveloped.subscribe(args));
    },
    onError: (_ctx, _id, _payload, errors) => errors.map(withoutInternals),
  };
}

/** Why a socket is closed, with the code that the same refusal has over HTTP. */
const reasonOf = ({ code, message }: Refusal): string => `${code}: ${message}`;

/** Short, as a reason of a close has to be. */
const noRoom = (max: number): string => `At most ${max} sockets per organization`;

/** @throws a GraphQLError with the code that it has over HTTP, where Yoga adds it */
function parseWith({ parse }: Enveloped, query: string): DocumentNode {
  try {
    return parse(query);
  } catch (error) {
    if (error instanceof GraphQLError) error.extensions['code'] ??= 'GRAPHQL_PARSE_FAILED';
    throw error;
  }
}
