import type { IncomingMessage, ServerResponse } from 'node:http';
import type { ConnectionDeps } from '../connections/deps.ts';
import { connectorOf } from '../connections/open.ts';
import { takeProviderEvent } from '../connections/told.ts';
import type { ProviderWebhook } from '../connectors/connector.ts';
import { uuidOf } from '../domain/ids.ts';
import { readRequestBody, type UnreadBody } from '../lib/request-body.ts';
import { refuse, replyJson, type Refusal } from './reply.ts';
import { urlOf } from './signed-request.ts';

const PATH = /^\/webhooks\/([a-z0-9_]{1,60})\/(con_[0-9a-z]{1,40})$/;
/** No event of a provider is larger, in bytes; Shopify's largest are some hundred kB. */
const BODY_BYTES_MAX = 1024 * 1024;
/** A body must be here after this long, in ms. */
const BODY_MS = 10_000;

interface ProviderWebhookOptions {
  /** A body must be here after this long, in ms; default: 10,000 */
  readonly bodyTimeoutMs?: number;
}

/**
 * `POST /webhooks/<provider>/<connection>`: something changed at a provider. It is answered as soon as it is noted;
 * whatever it is about is read by the next sync, which is due from then on. @returns false for other paths
 */
export function createProviderWebhookHandler(
  deps: ConnectionDeps,
  { bodyTimeoutMs = BODY_MS }: ProviderWebhookOptions = {},
): (req: IncomingMessage, res: ServerResponse) => Promise<boolean> {
  return async (req, res) => {
    const [, provider, publicId = ''] = PATH.exec(urlOf(req)?.pathname ?? '') ?? [];
    if (provider === undefined) return false;
    const webhook = connectorOf(deps, provider)?.webhook;
    const connectionId = uuidOf('connection', publicId);
    if (!webhook || connectionId === null) return false;
    const refusal =
      req.method === 'POST'
        ? await receive(deps, webhook, { req, provider, connectionId, bodyTimeoutMs })
        : NOT_POST;
    if (refusal) refuse(req, res, refusal);
    else replyJson(res, 200, { received: true });
    return true;
  };
}

interface Delivery {
  readonly req: IncomingMessage;
  readonly provider: string;
  readonly connectionId: string;
  readonly bodyTimeoutMs: number;
}

/** @returns null when it is noted, now or before */
async function receive(
  deps: ConnectionDeps,
  webhook: ProviderWebhook,
  { req, provider, connectionId, bodyTimeoutMs }: Delivery,
): Promise<Refusal | null> {
  const body = await readRequestBody(req, { bytesMax: BODY_BYTES_MAX, timeoutMs: bodyTimeoutMs });
  if (typeof body === 'string') return UNREAD[body];
  const headers = Object.fromEntries(
    Object.entries(req.headers).map(([name, value]) => [name, [value].flat()[0]]),
  );
  const outcome = await takeProviderEvent(deps, webhook, { provider, connectionId, body, headers });
  return outcome === 'forged' ? FORGED : null;
}

const NOT_POST: Refusal = {
  status: 405,
  code: 'METHOD_NOT_ALLOWED',
  message: 'Providers send what happened with POST.',
  headers: { Allow: 'POST' },
};

const FORGED: Refusal = {
  status: 401,
  code: 'INVALID_SIGNATURE',
  message: 'This is not signed with a secret of this connection, or was signed too long ago.',
};

const UNREAD: Readonly<Record<UnreadBody, Refusal>> = {
  'too large': {
    status: 413,
    code: 'TOO_LARGE',
    message: `An event may have at most ${BODY_BYTES_MAX} bytes.`,
  },
  'too slow': { status: 408, code: 'TIMEOUT', message: 'The whole event did not come in time.' },
  'broken off': { status: 400, code: 'BAD_REQUEST', message: 'The event is not whole.' },
};
