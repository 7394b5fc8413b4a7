import { createServer, type IncomingMessage } from 'node:http';
import type { AddressInfo } from 'node:net';

/** A request as an endpoint got it. */
export interface ReceivedWebhook {
  readonly headers: Record<string, string>;
  readonly body: string;
}

export interface WebhookReceiver extends AsyncDisposable {
  readonly url: string;
  readonly received: ReceivedWebhook[];
  /** What it answers from now on; default 204 */
  answer: (received: ReceivedWebhook) => { status: number; headers?: Record<string, string> };
  close(): Promise<void>;
}

/** Somebody else's server, on this machine. */
export async function startReceiver(): Promise<WebhookReceiver> {
  const server = createServer((req, res) => {
    void read(req).then((webhook) => {
      receiver.received.push(webhook);
      const { status, headers = {} } = receiver.answer(webhook);
      res.writeHead(status, headers).end('x'.repeat(10_000));
    });
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const close = async (): Promise<void> => {
    server.closeAllConnections();
    await new Promise((resolve) => server.close(resolve));
  };
  const receiver: WebhookReceiver = {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}/hook`,
    received: [],
    answer: () => ({ status: 204 }),
    close,
    [Symbol.asyncDispose]: close,
  };
  return receiver;
}

async function read(req: IncomingMessage): Promise<ReceivedWebhook> {
  const chunks: Buffer[] = [];
  for await (const chunk of req) chunks.push(chunk as Buffer);
  const headers = Object.fromEntries(
    Object.entries(req.headers).map(([name, value]) => [name, String(value)]),
  );
  return { headers, body: Buffer.concat(chunks).toString('utf8') };
}
