import { createHmac } from 'node:crypto';
import { afterAll, afterEach, beforeAll, expect, it } from 'vitest';
import { beginConnect, finishConnect, type OAuthDeps } from '../../src/connections/oauth.ts';
import { decryptCredentials, openStored } from '../../src/connections/open.ts';
import { takeProviderEvent } from '../../src/connections/told.ts';
import { connectors } from '../../src/connectors/index.ts';
import { systemClock } from '../../src/lib/clock.ts';
import { findConnection, type StoredConnection } from '../../src/repositories/connections.ts';
import { createTestDatabase, type TestDatabase } from '../support/database.ts';
import { testCipher } from '../support/job-context.ts';
import { silentLog } from '../support/log.ts';
import { createOrganization } from '../support/organization.ts';
import { visit } from '../support/providers/authorization.ts';
import type { MockServer } from '../support/providers/mock-server.ts';
import { startShopify } from '../support/providers/shopify.ts';
import { startZendesk } from '../support/providers/zendesk.ts';

let database: TestDatabase;
const mocks: MockServer[] = [];
beforeAll(async () => {
  database = await createTestDatabase();
});
afterEach(async () => {
  const problems = mocks.flatMap((mock) => mock.problems);
  await Promise.all(mocks.splice(0).map((mock) => mock.close()));
  expect(problems).toEqual([]);
});
afterAll(() => database.close());

interface Given {
  readonly provider: string;
  readonly mock: MockServer;
  readonly app: { readonly clientId: string; readonly clientSecret: string };
  readonly config: unknown;
}

/** A person who is sent to a provider, allows it there, and comes back. */
async function connect({ provider, mock, app, config }: Given) {
  mocks.push(mock);
  const { db } = database;
  const deps: OAuthDeps = {
    db,
    cipher: testCipher,
    connectors,
    baseUrls: { [provider]: mock.url },
    clock: systemClock,
    log: silentLog,
    apps: { [provider]: app },
    redirectUri: () => 'https://millrace.example/oauth/callback',
  };
  const { id: organizationId } = await createOrganization(db);
  const { url } = await beginConnect(deps, { organizationId, createdBy: 'api:test', provider, config });
  const back = await visit(url);
  const finished = await finishConnect(deps, back.searchParams);
  const stored = async (): Promise<StoredConnection> => {
    const { rows } = await db.query<{ id: string }>('SELECT id FROM connections WHERE organization_id = $1', [
      organizationId,
    ]);
    const connection = await findConnection(db, organizationId, rows[0]?.id ?? '');
    if (!connection) throw new Error('nothing was connected');
    return connection;
  };
  return { deps, back, finished, stored };
}

it('a shop is connected, its tokens are stored encrypted, and the app’s secret signs its webhooks', async () => {
  const app = { clientId: 'client-id', clientSecret: 'shpss_client_secret' };
  const mock = await startShopify();
  const { deps, finished, stored } = await connect({
    provider: 'shopify',
    mock,
    app,
    config: { shop: 'tide-and-tar' },
  });
  expect(finished).toMatchObject({ type: 'connected', label: 'Tide & Tar' });
  const connection = await stored();
  expect(decryptCredentials(testCipher, connection.id, connection.credentials)).toMatchObject({
    ...app,
    accessToken: 'shpat_token-1',
    refreshToken: 'shprt_refresh-1',
  });
  const body = Buffer.from('{"id":1}');
  const signature = createHmac('sha256', app.clientSecret).update(body).digest('base64');
  const headers = {
    'x-shopify-hmac-sha256': signature,
    'x-shopify-webhook-id': 'delivery-1',
    'x-shopify-topic': 'orders/updated',
  };
  const webhook = connectors['shopify']?.webhook;
  if (!webhook) throw new Error('Shopify tells us nothing');
  const told = { provider: 'shopify', connectionId: connection.id, body, headers };
  expect(await takeProviderEvent(deps, webhook, told)).toBe('noted');
});

it('a shop’s answer that somebody changed on the way connects nothing', async () => {
  const mock = await startShopify();
  mocks.push(mock);
  const app = { clientId: 'client-id', clientSecret: 'shpss_client_secret' };
  const { deps, back } = await connect({ provider: 'shopify', mock, app, config: { shop: 'tide-and-tar' } });
  const { id: organizationId } = await createOrganization(database.db);
  const request = {
    organizationId,
    createdBy: 'api:test',
    provider: 'shopify',
    config: { shop: 'tide-and-tar' },
  };
  const { url } = await beginConnect(deps, request);
  const query = new URLSearchParams(back.searchParams);
  // The state of one person with the signed code of another.
  query.set('state', new URL(url).searchParams.get('state') ?? '');
  expect(await finishConnect(deps, query)).toEqual({ type: 'mismatch', title: 'Shopify' });
});

it('a help desk is connected, and its tokens are renewed in their place for as long as it is read', async () => {
  const mock = await startZendesk(systemClock);
  const { clientId = '', clientSecret = '' } = mock.credentials;
  const given = { provider: 'zendesk', mock, app: { clientId, clientSecret }, config: { subdomain: 'acme' } };
  const { deps, finished, stored } = await connect(given);
  expect(finished).toMatchObject({ type: 'connected', label: 'acme.zendesk.com' });
  const before = await stored();
  mock.expireToken();
  const { signal } = new AbortController();
  const readers = Array.from({ length: 3 }, () => openStored(deps, before).check(signal));
  await Promise.all(readers);
  const after = await stored();
  expect(after.credentials).not.toBe(before.credentials);
  await openStored(deps, after).check(signal);
});
