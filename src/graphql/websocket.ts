import type { IncomingMessage } from 'node:http';
import type { Duplex } from 'node:stream';
import { CloseCode, handleProtocols, makeServer, MessageType, parseMessage } from 'graphql-ws';
import { WebSocketServer, type WebSocket } from 'ws';
import { originOf } from '../domain/activity.ts';
import type { ApiLimits } from '../domain/api-limits.ts';
import { raceAbort } from '../lib/abort.ts';
import { SocketConnection } from './websocket-connection.ts';
import { socketOperations, type SocketOperationsDeps } from './websocket-operations.ts';
import { GRAPHQL_PATH } from './yoga.ts';

/** Between two pings, in ms; a socket that gives no sign of life until the next one is cut. */
const PING_EVERY_MS = 12_000;
/** At shutdown: for the kernel to take what was sent, and then for clients to answer the close, in ms. */
const DRAIN_MS = 1_000;
const CLOSE_MS = 2_000;
/** https://www.rfc-editor.org/rfc/rfc6455#section-7.4.1 */
const GOING_AWAY = 1001;

interface WebSocketOptions extends SocketOperationsDeps {
  readonly limits: SocketOperationsDeps['limits'] & Pick<ApiLimits, 'messageBytes'>;
  /** Whose pages may open sockets, beside our own */
  readonly corsOrigins: readonly string[];
  publicUrl(): string;
}

export interface WebSocketTransport {
  /** For the server's `upgrade` event: takes sockets for GraphQL from our own pages and from programs, refuses others. */
  upgrade(req: IncomingMessage, socket: Duplex, head: Buffer): void;
  /** Sockets that are open */
  readonly open: number;
  /** Sends what waits and closes every socket with 1001, so that clients connect elsewhere; cuts those that do not answer. */
  close(): Promise<void>;
}

/** GraphQL over WebSocket, by https://github.com/graphql/graphql-over-http/blob/main/rfcs/GraphQLOverWebSocket.md */
export function createWebSocketTransport(options: WebSocketOptions): WebSocketTransport {
  const { log } = options;
  const server = new WebSocketServer({
    noServer: true,
    maxPayload: options.limits.messageBytes,
    clientTracking: false,
    handleProtocols,
  });
  const protocol = makeServer(socketOperations(options));
  const connections = new Set<SocketConnection>();
  let isClosing = false;
  let onEmpty = (): void => undefined;
  const pinging = setInterval(() => connections.forEach((each) => each.checkAlive()), PING_EVERY_MS);
  pinging.unref();

  function accept(socket: WebSocket, req: IncomingMessage): void {
    const connection = new SocketConnection(socket, originOf(req), log);
    connections.add(connection);
    const closed = protocol.opened(
      {
        protocol: connection.protocol,
        // Not waited for: operations wait for their reader by themselves, and an id is free once its end is sent.
        send: (text) => void connection.send(text),
        close: (code, reason) => connection.close(code, reason),
        onMessage: (handle) =>
          connection.onMessage((text) => {
            handle(text).catch((err: unknown) => {
              if (isServerMessage(text)) {
                connection.close(CloseCode.BadRequest, 'Invalid message received');
                return;
              }
              log.error({ err }, 'a message on a socket met a defect');
              connection.close(CloseCode.InternalServerError, 'Internal server error');
            });
          }),
      },
      connection,
    );
    connection.onClose((code, reason) => {
      connections.delete(connection);
      if (connections.size === 0) onEmpty();
      closed(code, reason).catch((err: unknown) => log.error({ err }, 'a socket was not tidied up'));
    });
  }

  async function close(): Promise<void> {
    isClosing = true;
    clearInterval(pinging);
    const drained = Promise.all([...connections].map((each) => each.drained()));
    await raceAbort(drained, AbortSignal.timeout(DRAIN_MS)).catch(() => undefined);
    const emptied = new Promise<void>((resolve) => (onEmpty = resolve));
    connections.forEach((each) => each.close(GOING_AWAY, 'Going away'));
    if (connections.size > 0) await raceAbort(emptied, AbortSignal.timeout(CLOSE_MS)).catch(() => undefined);
    connections.forEach((each) => each.terminate());
    server.close();
  }

  return {
    upgrade(req, socket, head) {
      socket.on('error', (err) => log.debug({ err }, 'a socket broke during its upgrade'));
      const refusal = isClosing ? '503 Service Unavailable' : refusalOf(req, options);
      if (refusal) socket.end(`HTTP/1.1 ${refusal}\r\nConnection: close\r\nContent-Length: 0\r\n\r\n`);
      else server.handleUpgrade(req, socket, head, (opened) => accept(opened, req));
    },
    get open() {
      return connections.size;
    },
    close,
  };
}

const SERVER_MESSAGES: ReadonlySet<string> = new Set([
  MessageType.ConnectionAck,
  MessageType.Next,
  MessageType.Error,
]);

/** Whether it is one that only servers send: graphql-ws takes it for a defect of ours. */
function isServerMessage(text: string): boolean {
  return SERVER_MESSAGES.has(parseMessage(text).type);
}

/** A browser tells the page that opens a socket; a foreign page has no business here. Programs tell none. */
function refusalOf(
  req: IncomingMessage,
  { publicUrl, corsOrigins }: Pick<WebSocketOptions, 'publicUrl' | 'corsOrigins'>,
): string | null {
  if (req.url?.split('?', 1)[0] !== GRAPHQL_PATH) return '404 Not Found';
  const { origin, host } = req.headers;
  if (origin === undefined || corsOrigins.includes(origin)) return null;
  const asked = URL.canParse(origin) ? new URL(origin) : null;
  return asked && (asked.host === host || asked.origin === new URL(publicUrl()).origin)
    ? null
    : '403 Forbidden';
}
