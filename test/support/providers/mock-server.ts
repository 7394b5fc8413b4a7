import { once } from 'node:events';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { Contract } from './contract.ts';

export interface MockRequest {
  readonly method: string;
  /** Without the query */
  readonly path: string;
  readonly query: URLSearchParams;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string;
}

export interface MockAnswer {
  /** Default: 200 */
  readonly status?: number;
  readonly headers?: Readonly<Record<string, string>>;
  readonly json?: unknown;
  /** In the place of `json`, as it is */
  readonly text?: string;
  /** Announces the whole body, sends half of it and cuts the connection */
  readonly isTruncated?: boolean;
}

type Handler = (request: MockRequest, mock: MockServer) => MockAnswer;

export interface MockServer {
  readonly url: string;
  /** Everything that was asked, oldest first */
  readonly requests: readonly MockRequest[];
  /** What did not fit the provider's specification, in words; a test expects none */
  readonly problems: readonly string[];
  /** Answers to give before the handler is asked again, the first first; the same to whatever is asked. */
  next(...answers: readonly MockAnswer[]): void;
  close(): Promise<void>;
}

interface MockOptions {
  readonly handle: Handler;
  /** The provider's specification, where there is one to be held to */
  readonly contract: Contract | null;
}

/** A provider on the loopback interface. What it answers by itself, and what it is asked, is held to the contract. */
export async function startMockServer({ handle, contract }: MockOptions): Promise<MockServer> {
  const requests: MockRequest[] = [];
  const problems: string[] = [];
  const scripted: MockAnswer[] = [];
  const server = createServer((req, res) => {
    answer(req, res).catch((error: unknown) => {
      problems.push(String(error));
      res.destroy();
    });
  });

  async function answer(req: IncomingMessage, res: ServerResponse): Promise<void> {
    const request = await readRequest(req);
    requests.push(request);
    problems.push(...(contract?.problemsOfRequest(request) ?? []));
    const given = scripted.shift();
    const chosen = given ?? handle(request, mock);
    if (!given) problems.push(...(contract?.problemsOfAnswer(request, chosen) ?? []));
    send(res, chosen);
  }

  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const mock: MockServer = {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    requests,
    problems,
    next: (...answers) => void scripted.push(...answers),
    async close() {
      server.closeAllConnections();
      server.close();
      await once(server, 'close');
    },
  };
  return mock;
}

async function readRequest(req: IncomingMessage): Promise<MockRequest> {
  const chunks: Buffer[] = [];
  for await (const chunk of req) if (Buffer.isBuffer(chunk)) chunks.push(chunk);
  const url = new URL(req.url ?? '/', 'http://mock');
  const headers = Object.entries(req.headers).map(([name, value]) => [name, [value].flat().join(', ')]);
  return {
    method: req.method ?? 'GET',
    path: url.pathname,
    query: url.searchParams,
    headers: Object.fromEntries(headers) as Record<string, string>,
    body: Buffer.concat(chunks).toString('utf8'),
  };
}

function send(
  res: ServerResponse,
  { status = 200, headers = {}, json, text, isTruncated = false }: MockAnswer,
): void {
  const body = Buffer.from(text ?? (json === undefined ? '' : JSON.stringify(json)));
  const type = text === undefined ? 'application/json' : 'text/html';
  res.writeHead(status, { 'content-type': type, 'content-length': body.byteLength, ...headers });
  if (!isTruncated) {
    res.end(body);
    return;
  }
  res.write(body.subarray(0, body.byteLength >> 1), () => res.destroy());
}
