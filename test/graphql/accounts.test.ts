import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { connectorsOf } from '../../src/connectors/index.ts';
import { uuidOf } from '../../src/domain/ids.ts';
import { startApi, type TestApi } from '../support/api.ts';
import { createWorld, scriptedProvider, type World } from '../support/scripted-provider.ts';

let api: TestApi;
let world: World;
beforeAll(async () => {
  world = createWorld(3);
  api = await startApi({ connectors: connectorsOf(scriptedProvider(world)) });
});
afterAll(() => api.close());

const FIELDS = `connection { id provider providerTitle label state missingScopes syncEverySeconds nextSyncAt lagSeconds
  entities { name title panel syncedAt } syncJob { id } hasWebhookSecret webhookUrl config createdBy }
  userErrors { field code message }`;
const CONNECT = `mutation ($input: ConnectAccountInput!) { it: connectAccount(input: $input) { ${FIELDS} } }`;
const RECONNECT = `mutation ($id: ID!, $input: ReconnectAccountInput!) { it: reconnectAccount(id: $id, input: $input) { ${FIELDS} } }`;
const UPDATE = `mutation ($id: ID!, $input: UpdateConnectionInput!) { it: updateConnection(id: $id, input: $input) { ${FIELDS} } }`;
const PAUSE = `mutation ($id: ID!) { it: pauseConnection(id: $id) { ${FIELDS} } }`;
const RESUME = `mutation ($id: ID!) { it: resumeConnection(id: $id) { ${FIELDS} } }`;
const DISCONNECT = `mutation ($id: ID!, $deleteData: Boolean) { it: disconnectAccount(id: $id, deleteData: $deleteData) {
  disconnectedId userErrors { field code message } } }`;
const SYNC = `mutation ($input: StartConnectorSyncInput!) { it: startConnectorSync(input: $input) {
  job { id kind input } userErrors { field code message } } }`;
const LIST = `query ($disconnected: Boolean) { connections(disconnected: $disconnected) { totalCount edges { node { id state } } } }`;
const NODE = 'query ($id: ID!) { node(id: $id) { __typename id } connection(id: $id) { id } }';

interface Answer {
  readonly connection?: (Record<string, unknown> & { readonly id: string }) | null;
  readonly userErrors: readonly { readonly code: string; readonly field: readonly string[] | null }[];
  readonly disconnectedId?: string | null;
  readonly job?: { readonly id: string } | null;
}

const ask = async (operation: string, variables: object): Promise<Answer> => {
  const { data, errors } = await api.ask(operation, variables, 'admin');
  expect(errors).toEqual([]);
  return data?.['it'] as Answer;
};

let accounts = 0;
const connect = async (): Promise<string> => {
  accounts += 1;
  world.accountId = `account ${accounts}`;
  const input = { provider: 'scripted', config: {}, credentials: { key: 'not to be seen' } };
  const { connection, userErrors } = await ask(CONNECT, { input });
  expect(userErrors).toEqual([]);
  return connection?.id ?? '';
};

describe('an account', () => {
  test('is connected, and shows what is read of it and none of its credentials', async () => {
    const id = await connect();
    const { data } = await api.ask(
      `query ($id: ID!) { connection(id: $id) { id provider providerTitle label state accountKey config missingScopes
         entities { name title panel syncedAt failure { code } } lagSeconds syncedAt syncJob { id } webhookUrl } }`,
      { id },
      'viewer',
    );
    expect(data?.['connection']).toMatchObject({
      provider: 'scripted',
      providerTitle: 'Scripted',
      label: 'A scripted account',
      state: 'ACTIVE',
      entities: [
        { name: 'orders', title: 'Orders', panel: 'REVENUE', syncedAt: null },
        { name: 'things', title: 'Things', panel: null, syncedAt: null },
      ],
      lagSeconds: null,
      syncJob: null,
      webhookUrl: null,
    });
    const { rows } = await api.database.db.query('SELECT * FROM connections');
    expect(JSON.stringify([data, rows])).not.toContain('not to be seen');
  });

  test('is refused with a text at the field that is wrong, and then nothing is stored', async () => {
    const before = await api.ask(LIST);
    const answer = await ask(CONNECT, { input: { provider: 'scripted', credentials: { key: 1 } } });
    expect(answer).toMatchObject({
      connection: null,
      userErrors: [{ code: 'INVALID', field: ['input', 'credentials', 'key'] }],
    });
    expect(await api.ask(LIST)).toMatchObject({ data: before.data });
  });

  test('is paused and resumed; reconnecting it leaves it paused', async () => {
    const id = await connect();
    expect(await ask(PAUSE, { id })).toMatchObject({ connection: { state: 'PAUSED', nextSyncAt: null } });
    const again = await ask(RECONNECT, { id, input: { credentials: { key: 'another' } } });
    expect(again).toMatchObject({ connection: { state: 'PAUSED', nextSyncAt: null }, userErrors: [] });
    expect(await ask(SYNC, { input: { connectionId: id } })).toMatchObject({
      job: null,
      userErrors: [{ code: 'CONFLICT', field: ['input', 'connectionId'] }],
    });
    const resumed = await ask(RESUME, { id });
    expect(resumed).toMatchObject({ connection: { state: 'ACTIVE', nextSyncAt: expect.any(String) } });
  });

  test('is synced on demand, once at a time, and shows the job that does it', async () => {
    const id = await connect();
    const first = await ask(SYNC, { input: { connectionId: id } });
    const second = await ask(SYNC, { input: { connectionId: id } });
    expect(second.job?.id).toBe(first.job?.id);
    expect(await ask(SYNC, { input: { connectionId: id, full: true } })).toMatchObject({
      userErrors: [{ code: 'CONFLICT' }],
    });
    const { data } = await api.ask('query ($id: ID!) { connection(id: $id) { syncJob { id input } } }', {
      id,
    });
    expect(data?.['connection']).toMatchObject({
      syncJob: { id: first.job?.id, input: { connectionId: id } },
    });
  });

  test('is changed within bounds; a secret for webhooks is taken only where there are webhooks', async () => {
    const id = await connect();
    expect(await ask(UPDATE, { id, input: { syncEverySeconds: 300 } })).toMatchObject({
      connection: { syncEverySeconds: 300 },
    });
    expect(await ask(UPDATE, { id, input: { syncEverySeconds: 5 } })).toMatchObject({
      userErrors: [{ code: 'INVALID', field: ['input', 'syncEverySeconds'] }],
    });
    expect(await ask(UPDATE, { id, input: { webhookSecret: 'long enough' } })).toMatchObject({
      userErrors: [{ code: 'INVALID', field: ['input', 'webhookSecret'] }],
    });
  });

  test('is disconnected, and is in the list only when those are asked for; without its data it is gone', async () => {
    const id = await connect();
    expect(await ask(DISCONNECT, { id })).toMatchObject({ disconnectedId: id, userErrors: [] });
    expect(JSON.stringify((await api.ask(LIST)).data)).not.toContain(id);
    expect(JSON.stringify((await api.ask(LIST, { disconnected: true })).data)).toContain(id);
    expect(await ask(DISCONNECT, { id, deleteData: true })).toMatchObject({ disconnectedId: id });
    expect((await api.ask(NODE, { id })).data).toEqual({ node: null, connection: null });
  });

  test('of another organization does not exist', async () => {
    const id = await connect();
    const stranger = await api.ask(NODE, { id }, 'stranger');
    expect(stranger.data).toEqual({ node: null, connection: null });
    expect(uuidOf('connection', id)).not.toBeNull();
  });
});

describe('providers', () => {
  test('tell what they take, as JSON Schema, and what is read of them', async () => {
    const { data } = await api.ask(
      '{ providers { name title configSchema credentialsSchema hasWebhook entities { name title panel } } }',
    );
    const providers = (data?.['providers'] ?? []) as readonly { readonly name: string }[];
    expect(providers.map(({ name }) => name)).toEqual([
      'google_analytics',
      'mailchimp',
      'meta',
      'scripted',
      'shopify',
      'stripe',
      'zendesk',
    ]);
    expect(providers.find(({ name }) => name === 'shopify')).toMatchObject({
      title: 'Shopify',
      hasWebhook: true,
      configSchema: { type: 'object', properties: { shop: { type: 'string' } } },
    });
  });
});

describe('panels', () => {
  test('that nothing fills cannot be refreshed, the others are, once at a time', async () => {
    await connect();
    const refresh = async (keys: readonly string[] | null) => {
      const { data, errors } = await api.ask(
        'mutation ($keys: [PanelKey!]) { it: refreshPanels(keys: $keys) { jobs { id kind } userErrors { field code } } }',
        { keys },
      );
      expect(errors).toEqual([]);
      return data?.['it'];
    };
    const all = await refresh(null);
    expect(all).toMatchObject({ jobs: [{ kind: 'REVENUE_AGGREGATION' }], userErrors: [] });
    expect(await refresh(['ADS', 'REVENUE'])).toMatchObject({
      jobs: (all as { jobs: unknown }).jobs,
      userErrors: [{ code: 'NOT_CONNECTED', field: ['keys', '0'] }],
    });
  });
});
