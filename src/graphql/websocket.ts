import type { IncomingMessage } from 'node:http';
import type { Duplex } from 'node:stream';
import { randomUUID } from 'node:crypto';
import type {
  DocumentNode,
  ExecutionArgs,
  GraphQLError,
  GraphQLFormattedError,
  GraphQLSchema,
} from 'graphql';
import { CloseCode, type ServerOptions, type SubscribePayload } from 'graphql-ws';
import { useServer, type Extra } from 'graphql-ws/use/ws';
import { WebSocketServer } from 'ws';
import { z } from 'zod';
import type { Authenticate } from '../auth/authenticate.ts';
import type { Log } from '../lib/log.ts';
import { problem } from './errors.ts';
import { CONNECTION_INIT_TIMEOUT_MS, MESSAGE_BYTES_MAX, OPERATIONS_PER_SOCKET_MAX } from './limits.ts';
import { maskError } from './masking.ts';
import { GRAPHQL_PATH, type GraphQL } from './yoga.ts';

interface WebSocketOptions {
  readonly graphql: GraphQL;
  readonly authenticate: Authenticate;
  readonly log: Log;
  publicUrl(): string;
}

export interface WebSocketTransport {
  /** For the server's `upgrade` event: takes sockets for GraphQL from our own pages and from programs, refuses others. */
  upgrade(req: IncomingMessage, socket: Duplex, head: Buffer): void;
  /** Sockets that are open */
  readonly open: number;
  /** Closes every socket with 1001, so that clients connect elsewhere. */
  close(): Promise<void>;
}

export function createWebSocketTransport(options: WebSocketOptions): WebSocketTransport {
  const server = new WebSocketServer({ noServer: true, maxPayload: MESSAGE_BYTES_MAX, clientTracking: true });
  const disposable = useServer<Record<string, unknown>, SocketExtra>(serverOptions(options), server);
  return {
    upgrade(req, socket, head) {
      socket.on('error', (err) => options.log.debug({ err }, 'a socket broke during its upgrade'));
      const refusal = refusalOf(req, options.publicUrl());
      if (refusal) socket.end(`HTTP/1.1 ${refusal}\r\nConnection: close\r\nContent-Length: 0\r\n\r\n`);
      else server.handleUpgrade(req, socket, head, (client) => server.emit('connection', client, req));
    },
    get open() {
      return server.clients.size;
    },
    close: async () => {
      await disposable.dispose();
      server.close();
    },
  };
}

/** A browser tells the page that opens a socket; a foreign page has no business here. Programs tell none. */
function refusalOf(req: IncomingMessage, publicUrl: string): string | null {
  if (req.url?.split('?', 1)[0] !== GRAPHQL_PATH) return '404 Not Found';
  const { origin, host } = req.headers;
  if (origin === undefined) return null;
  const asked = URL.canParse(origin) ? new URL(origin) : null;
  return asked && (asked.host === host || asked.origin === new URL(publicUrl).origin)
    ? null
    : '403 Forbidden';
}

const connectionParams = z.object({ token: z.string() });

/** What a socket knows of its caller, beside what graphql-ws keeps there. */
type SocketExtra = { token: string };

type Options = ServerOptions<Record<string, unknown>, Extra & Partial<SocketExtra>>;
type SocketContext = Parameters<NonNullable<Options['onSubscribe']>>[0];
interface Prepared {
  readonly execute: NonNullable<Options['execute']>;
  readonly subscribe: NonNullable<Options['subscribe']>;
}

/** What Yoga gives to run one operation with all its plugins; its own types leave most of it open. */
interface Enveloped extends Prepared {
  readonly schema: GraphQLSchema;
  readonly parse: (source: string) => DocumentNode;
  readonly validate: (schema: GraphQLSchema, document: DocumentNode) => readonly GraphQLError[];
  readonly contextFactory: () => unknown;
}

function serverOptions({ graphql, authenticate, log }: WebSocketOptions): Options {
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
  ): Promise<ExecutionArgs | readonly GraphQLError[]> {
    const requestId = randomUUID();
    try {
      if (Object.keys(ctx.subscriptions).length > OPERATIONS_PER_SOCKET_MAX) {
        throw problem(
          'RATE_LIMITED',
          `At most ${OPERATIONS_PER_SOCKET_MAX} operations may run on one socket.`,
        );
      }
      const principal = await authenticate(ctx.extra.token);
      if (!principal) ctx.extra.socket.close(CloseCode.Forbidden, 'Forbidden');
      const enveloped: Enveloped = graphql.getEnveloped({ principal, requestId, params: payload });
      const document = enveloped.parse(payload.query);
      const errors = enveloped.validate(enveloped.schema, document);
      if (errors.length > 0) return errors;
      const args: ExecutionArgs = {
        schema: enveloped.schema,
        document,
        operationName: payload.operationName ?? null,
        variableValues: payload.variables ?? null,
        contextValue: await enveloped.contextFactory(),
      };
      prepared.set(args, enveloped);
      return args;
    } catch (error) {
      return [maskError(error, log, requestId)];
    }
  }

  return {
    connectionInitWaitTimeout: CONNECTION_INIT_TIMEOUT_MS,
    async onConnect(ctx) {
      const params = connectionParams.safeParse(ctx.connectionParams);
      if (!params.success || !(await authenticate(params.data.token))) return false;
      ctx.extra.token = params.data.token;
      return true;
    },
    onSubscribe: (ctx, _id, payload) => prepare(ctx, payload),
    execute: (args) => preparedOf(args).execute(args),
    subscribe: (args) => preparedOf(args).subscribe(args),
    onError: (_ctx, _id, _payload, errors) => errors.map(withoutInternals),
    onNext(_ctx, _id, _payload, _args, { errors, data = null, extensions = {}, ...rest }) {
      return errors && { ...rest, data, extensions, errors: errors.map(withoutInternals) };
    },
  };
}

/** HTTP statuses and the like are of no use here, and Yoga takes them out of HTTP answers only. */
function withoutInternals(error: GraphQLError): GraphQLFormattedError {
  const json = error.toJSON();
  if (!json.extensions) return json;
  const { http: _http, unexpected: _unexpected, ...extensions } = json.extensions;
  return { ...json, extensions };
}
