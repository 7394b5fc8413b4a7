import { createHmac } from 'node:crypto';
import { once } from 'node:events';
import { createServer, request } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { ConnectionDeps } from '../../src/connections/deps.ts';
import { encryptCredentials } from '../../src/connections/open.ts';
import { connectors } from '../../src/connectors/index.ts';
import { newUuid, toPublicId } from '../../src/domain/ids.ts';
import { createProviderWebhookHandler } from '../../src/http/provider-webhooks.ts';
import { systemClock } from '../../src/lib/clock.ts';
import { createLog } from '../../src/lib/log.ts';
import {
  CONNECTION_SECRETS,
  disconnectConnection,
  pauseConnection,
} from '../../src/repositories/connections.ts';
import { pruneProviderEvents } from '../../src/repositories/provider-events.ts';
import { createTestDatabase, type TestDatabase } from '../support/database.ts';
import { testCipher } from '../support/job-context.ts';
import { createOrganization } from '../support/organization.ts';

const MEGABYTE = 1024 * 1024;
const SECRET = 'whsec_of_the_test';
const CLIENT_SECRET = 'shpss_client_secret';
const HOUR_MS = 3_600_000;

let database: TestDatabase;
let url: string;
const lines: string[] = [];
const destination = { write: (line: string) => void lines.push(line) };
let handle: ReturnType<typeof createProviderWebhookHandler>;
const server = createServer((req, res) => {
  void handle(req, res).then((isTaken) => isTaken || res.writeHead(404).end('{"code":"NO_ROUTE"}'));
});

beforeAll(async () => {
  database = await createTestDatabase();
  const deps: ConnectionDeps = {
    db: database.db,
    cipher: testCipher,
    connectors,
    baseUrls: {},
    clock: systemClock,
    log: createLog({ level: 'trace', process: 'test', destination }),
  };
  handle = createProviderWebhookHandler(deps, { bodyTimeoutMs: 500 });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
});
afterAll(async () => {
  server.closeAllConnections();
  server.close();
  await database.close();
});

interface Given {
  readonly provider?: 'stripe' | 'shopify' | 'mailchimp';
  /** Null: nobody entered one */
  readonly webhookSecret?: string | null;
  readonly credentials?: unknown;
}

/** A connection whose next sync is due in an hour. */
async function connect({ provider = 'stripe', webhookSecret = SECRET, credentials = {} }: Given = {}) {
  const { db } = database;
  const { id: organizationId } = await createOrganization(db);
  const id = newUuid();
  const { table, webhookSecret: column } = CONNECTION_SECRETS;
  await db.query(
    `INSERT INTO connections (id, organization_id, provider, account_key, label, config, created_by, credentials,
                              webhook_secret, next_sync_at)
     VALUES ($1, $2, $3, 'of its own', 'An account', '{}', 'api:test', $4, $5, now() + interval '1 hour')`,
    [
      id,
      organizationId,
      provider,
      encryptCredentials(testCipher, id, credentials),
      webhookSecret === null ? null : testCipher.encrypt(webhookSecret, { table, column, rowId: id }),
    ],
  );
  return {
    id,
    organizationId,
    path: `/webhooks/${provider}/${toPublicId('connection', id)}`,
    /** In ms from now; null: never */
    async dueIn(): Promise<number | null> {
      const { rows } = await db.query<{ ms: number | null }>(
        'SELECT (extract(epoch FROM next_sync_at - now()) * 1000)::float AS ms FROM connections WHERE id = $1',
        [id],
      );
      return rows[0]?.ms ?? null;
    },
    async events(): Promise<number> {
      const { rows } = await db.query<{ count: number }>(
        'SELECT count(*)::int FROM provider_events WHERE connection_id = $1 AND organization_id = $2',
        [id, organizationId],
      );
      return rows[0]?.count ?? 0;
    },
  };
}

type Headers = Readonly<Record<string, string>>;

async function post(path: string, body: string, headers: Headers = {}, method = 'POST') {
  const response = await fetch(url + path, {
    method,
    headers: { 'content-type': 'application/json', ...headers },
    ...(method === 'POST' && { body }),
  });
  return { status: response.status, body: (await response.json()) as unknown };
}

const eventOf = (id: string, type = 'charge.refunded'): string =>
  JSON.stringify({ id, object: 'event', type });

function stripeHeaders(body: string, { secret = SECRET, agoSeconds = 0 } = {}): Headers {
  const at = Math.floor(Date.now() / 1_000) - agoSeconds;
  const v1 = createHmac('sha256', secret).update(`${at}.${body}`).digest('hex');
  return { 'stripe-signature': `t=${at},v1=${v1}` };
}

function shopifyHeaders(
  body: string,
  id: string,
  { secret = CLIENT_SECRET, topic = 'orders/updated' } = {},
): Headers {
  return {
    'x-shopify-hmac-sha256': createHmac('sha256', secret).update(body).digest('base64'),
    'x-shopify-webhook-id': id,
    'x-shopify-topic': topic,
  };
}

const FORGED = {
  status: 401,
  body: {
    code: 'INVALID_SIGNATURE',
    message: 'This is not signed with a secret of this connection, or was signed too long ago.',
  },
};

describe('what a provider signed', () => {
  it('of Stripe makes the next sync due within seconds', async () => {
    const connection = await connect();
    const body = eventOf('evt_1');
    expect(await post(connection.path, body, stripeHeaders(body))).toMatchObject({ status: 200 });
    expect(await connection.dueIn()).toBeLessThan(6_000);
    expect(await connection.events()).toBe(1);
  });

  it('of Shopify is believed by the client secret of the credentials', async () => {
    const credentials = { clientId: 'c', clientSecret: CLIENT_SECRET };
    const connection = await connect({ provider: 'shopify', webhookSecret: null, credentials });
    const body = '{"id":1,"name":"Ü"}';
    expect((await post(connection.path, body, shopifyHeaders(body, 'delivery-1'))).status).toBe(200);
    expect(await connection.dueIn()).toBeLessThan(6_000);
    const others = shopifyHeaders(body, 'delivery-2', { secret: 'another' });
    expect(await post(connection.path, body, others)).toEqual(FORGED);
  });

  it('of Shopify is believed by the secret that a person entered, where there is one', async () => {
    const credentials = { clientId: 'c', clientSecret: CLIENT_SECRET };
    const connection = await connect({ provider: 'shopify', webhookSecret: 'entered-one', credentials });
    const entered = shopifyHeaders('{}', 'delivery-1', { secret: 'entered-one' });
    expect((await post(connection.path, '{}', entered)).status).toBe(200);
    expect(await post(connection.path, '{}', shopifyHeaders('{}', 'delivery-2'))).toEqual(FORGED);
  });

  it('is believed by either of two secrets while one is replaced', async () => {
    const connection = await connect({ webhookSecret: 'whsec_new whsec_old' });
    for (const secret of ['whsec_new', 'whsec_old']) {
      const body = eventOf(`evt_${secret}`);
      expect((await post(connection.path, body, stripeHeaders(body, { secret }))).status).toBe(200);
    }
    const both = stripeHeaders('{}', { secret: 'whsec_new whsec_old' });
    expect(await post(connection.path, '{}', both)).toEqual(FORGED);
  });

  it('of something that we do not read is noted, and makes nothing due', async () => {
    const connection = await connect();
    const body = eventOf('evt_1', 'customer.created');
    expect((await post(connection.path, body, stripeHeaders(body))).status).toBe(200);
    expect(await connection.events()).toBe(1);
    expect(await connection.dueIn()).toBeGreaterThan(HOUR_MS - 60_000);
  });

  it('twice counts once: the second changes nothing', async () => {
    const connection = await connect();
    const body = eventOf('evt_1');
    await post(connection.path, body, stripeHeaders(body));
    await database.db.query("UPDATE connections SET next_sync_at = now() + interval '1 hour' WHERE id = $1", [
      connection.id,
    ]);
    expect((await post(connection.path, body, stripeHeaders(body))).status).toBe(200);
    expect(await connection.dueIn()).toBeGreaterThan(HOUR_MS - 60_000);
    expect(await connection.events()).toBe(1);
  });

  it('ten times at once counts once', async () => {
    const connection = await connect();
    const body = eventOf('evt_1');
    const headers = stripeHeaders(body);
    const answers = await Promise.all(Array.from({ length: 10 }, () => post(connection.path, body, headers)));
    expect(answers.map(({ status }) => status)).toEqual(Array.from({ length: 10 }, () => 200));
    expect(await connection.events()).toBe(1);
  });

  it('of one id is another event at another connection', async () => {
    const [one, other] = [await connect(), await connect()];
    const body = eventOf('evt_1');
    for (const { path } of [one, other]) await post(path, body, stripeHeaders(body));
    expect([await one.events(), await other.events()]).toEqual([1, 1]);
  });

  it('never puts off what is due sooner, and never begins within seconds of a sync that has just begun', async () => {
    const connection = await connect();
    const set = (sql: string) =>
      database.db.query(`UPDATE connections SET ${sql} WHERE id = $1`, [connection.id]);
    await set("next_sync_at = now() - interval '1 minute'");
    const first = eventOf('evt_1');
    await post(connection.path, first, stripeHeaders(first));
    expect(await connection.dueIn()).toBeLessThan(-50_000);
    // Its clock is ahead of time, so that the test need not hurry.
    await set("next_sync_at = now() + interval '1 hour', sync_started_at = now() + interval '1 minute'");
    const second = eventOf('evt_2');
    await post(connection.path, second, stripeHeaders(second));
    expect(await connection.dueIn()).toBeGreaterThan(50_000);
    expect(await connection.dueIn()).toBeLessThan(66_000);
  });

  it('disturbs no connection that is paused or refused', async () => {
    const [paused, refused] = [await connect(), await connect()];
    await pauseConnection(database.db, paused.organizationId, paused.id);
    await database.db.query('UPDATE connections SET refused_at = now(), next_sync_at = NULL WHERE id = $1', [
      refused.id,
    ]);
    for (const connection of [paused, refused]) {
      const body = eventOf('evt_1');
      expect((await post(connection.path, body, stripeHeaders(body))).status).toBe(200);
      expect(await connection.dueIn()).toBeNull();
    }
  });

  it('is forgotten after a week', async () => {
    const connection = await connect();
    for (const id of ['evt_old', 'evt_new']) {
      const body = eventOf(id);
      await post(connection.path, body, stripeHeaders(body));
    }
    await database.db.query(
      `UPDATE provider_events SET received_at = now() - interval '8 days'
       WHERE connection_id = $1 AND event_id = 'evt_old'`,
      [connection.id],
    );
    expect(await pruneProviderEvents(database.db, 100)).toBe(1);
    expect(await connection.events()).toBe(1);
  });
});

describe('what nobody signed who may', () => {
  const body = eventOf('evt_1');

  it.each<[string, Headers]>([
    ['nothing', {}],
    ['another secret', stripeHeaders(body, { secret: 'whsec_other' })],
    ['the signature of another body', stripeHeaders(eventOf('evt_2'))],
    ['a signature that was recorded six minutes ago', stripeHeaders(body, { agoSeconds: 360 })],
    ['a signature from the future', stripeHeaders(body, { agoSeconds: -360 })],
    ['another provider’s signature', shopifyHeaders(body, 'delivery-1', { secret: SECRET })],
  ])('is not believed with %s', async (_what, headers) => {
    const connection = await connect();
    expect(await post(connection.path, body, headers)).toEqual(FORGED);
    expect(await connection.events()).toBe(0);
    expect(await connection.dueIn()).toBeGreaterThan(HOUR_MS - 60_000);
  });

  it('is not believed by the secret of another organization’s connection', async () => {
    const [mine, theirs] = [
      await connect({ webhookSecret: 'whsec_mine' }),
      await connect({ webhookSecret: 'whsec_theirs' }),
    ];
    expect(await post(theirs.path, body, stripeHeaders(body, { secret: 'whsec_mine' }))).toEqual(FORGED);
    expect([await mine.events(), await theirs.events()]).toEqual([0, 0]);
  });

  it('is answered as for a connection that does not exist, is disconnected, is another provider’s, or has no secret', async () => {
    const [gone, unready, shop] = [
      await connect(),
      await connect({ webhookSecret: null }),
      await connect({ provider: 'shopify' }),
    ];
    await disconnectConnection(database.db, gone.organizationId, gone.id, false);
    const nobody = `/webhooks/stripe/${toPublicId('connection', newUuid())}`;
    const crossed = shop.path.replace('shopify', 'stripe');
    for (const path of [gone.path, unready.path, nobody, crossed])
      expect(await post(path, body, stripeHeaders(body))).toEqual(FORGED);
    expect(await gone.events()).toBe(0);
  });

  it('is not believed without a secret, even when it is signed with an empty one', async () => {
    const connection = await connect({ webhookSecret: null });
    expect(await post(connection.path, body, stripeHeaders(body, { secret: '' }))).toEqual(FORGED);
  });
});

describe('the address', () => {
  it.each([
    '/webhooks/mailchimp/con_0',
    '/webhooks/toString/con_0',
    '/webhooks/stripe',
    '/webhooks/stripe/con_0/x',
  ])('%s is nobody’s', async (path) => {
    expect((await post(path, '{}')).status).toBe(404);
  });

  it('takes POST alone', async () => {
    const { path } = await connect();
    const response = await fetch(url + path);
    expect([response.status, response.headers.get('allow')]).toEqual([405, 'POST']);
  });

  it('takes a megabyte and no byte more, announced or not', async () => {
    const connection = await connect();
    const bodyOf = (bytes: number): string => {
      const event = eventOf(`evt_${bytes}`);
      return event + ' '.repeat(bytes - event.length);
    };
    const largest = bodyOf(MEGABYTE);
    expect((await post(connection.path, largest, stripeHeaders(largest))).status).toBe(200);
    const larger = bodyOf(MEGABYTE + 1);
    expect(await post(connection.path, larger, stripeHeaders(larger))).toMatchObject({
      status: 413,
      body: { code: 'TOO_LARGE' },
    });
    const unannounced = request(url + connection.path, {
      method: 'POST',
      headers: { ...stripeHeaders(larger), 'transfer-encoding': 'chunked' },
    });
    unannounced.on('error', () => undefined);
    const answered = once(unannounced, 'response');
    unannounced.end(larger);
    expect((await answered)[0]).toMatchObject({ statusCode: 413 });
    expect(await connection.events()).toBe(1);
  });

  it('does not wait for a body that does not come', async () => {
    const { path } = await connect();
    const silent = request(url + path, { method: 'POST', headers: { 'content-length': '10' } });
    silent.on('error', () => undefined);
    const answered = once(silent, 'response');
    silent.write('12345');
    expect((await answered)[0]).toMatchObject({ statusCode: 408, statusMessage: 'Request Timeout' });
    silent.destroy();
  });

  it('logs no secret, no signature and no body', () => {
    const told = lines.join('');
    for (const secret of [SECRET, CLIENT_SECRET, 'evt_1', 'v1=']) expect(told).not.toContain(secret);
  });
});
