import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest';
import { newUuid, toPublicId, uuidOf } from '../../src/domain/ids.ts';
import { startApi, type TestApi } from '../support/api.ts';
import { readsDuring } from '../support/statements.ts';

let api: TestApi;
beforeAll(async () => {
  api = await startApi();
});
afterEach(() => api.database.db.query('DELETE FROM webhook_endpoints'));
afterAll(() => api.close());

const ENDPOINT = `endpoint { id url description eventTypes enabled disabledReason previousSecretExpiresAt createdBy }
  secret userErrors { field code message }`;
const CREATE = `mutation ($input: CreateWebhookEndpointInput!) { it: createWebhookEndpoint(input: $input) { ${ENDPOINT} } }`;
const UPDATE = `mutation ($id: ID!, $input: UpdateWebhookEndpointInput!) { it: updateWebhookEndpoint(id: $id, input: $input) { ${ENDPOINT} } }`;
const ENABLE = `mutation ($id: ID!) { it: enableWebhookEndpoint(id: $id) { ${ENDPOINT} } }`;
const DISABLE = `mutation ($id: ID!) { it: disableWebhookEndpoint(id: $id) { ${ENDPOINT} } }`;
const ROTATE = `mutation ($id: ID!, $hours: Int) { it: rotateWebhookSecret(id: $id, overlapHours: $hours) { ${ENDPOINT} } }`;
const DELETE =
  'mutation ($id: ID!) { it: deleteWebhookEndpoint(id: $id) { deletedId userErrors { field code message } } }';
const DELIVERY =
  'delivery { id eventId eventType status payload endpoint { id } } userErrors { field code message }';
const TEST = `mutation ($id: ID!) { it: sendTestWebhook(id: $id) { ${DELIVERY} } }`;
const REDELIVER = `mutation ($id: ID!) { it: redeliverWebhook(deliveryId: $id) { ${DELIVERY} } }`;
const LIST = `query ($first: Int) { webhookEndpoints { totalCount edges { node { id url
  deliveries(first: $first) { totalCount pageInfo { hasNextPage } edges { node { id status attempts { number } } } }
  failed: deliveries(status: FAILED) { totalCount } } } } }`;
const NODE = 'query ($id: ID!) { node(id: $id) { __typename id } }';

type Answer = Record<string, unknown> & {
  readonly endpoint?: { readonly id: string; readonly previousSecretExpiresAt: string | null } | null;
  readonly delivery?: { readonly id: string } | null;
  readonly secret?: string | null;
};

const ask = async (operation: string, variables: object): Promise<Answer> => {
  const { data, errors } = await api.ask(operation, variables, 'admin');
  expect(errors).toEqual([]);
  return data?.['it'] as Answer;
};

const create = async (input: object = {}): Promise<{ id: string; secret: string }> => {
  const { endpoint, secret } = await ask(CREATE, { input: { url: 'https://hooks.example.com/a', ...input } });
  return { id: endpoint?.id ?? '', secret: secret ?? '' };
};

async function seedDelivery(endpoint: string, status = 'delivered'): Promise<string> {
  const id = newUuid();
  await api.database.db.query(
    `INSERT INTO webhook_deliveries (id, organization_id, endpoint_id, event_id, event_type, payload, status, carrier_job_id, delivered_at)
     VALUES ($1, $2, $3, gen_random_uuid(), 'test', '{}', $4::webhook_delivery_status, gen_random_uuid(),
             CASE WHEN $4 = 'delivered' THEN now() END)`,
    [id, api.organization.id, uuidOf('webhookEndpoint', endpoint), status],
  );
  return toPublicId('webhookDelivery', id);
}

describe('a webhook endpoint', () => {
  test('is created with a secret that is shown once and stored encrypted', async () => {
    const created = await ask(CREATE, { input: { url: 'https://hooks.example.com', description: ' Ops ' } });
    expect(created).toMatchObject({
      endpoint: {
        id: expect.stringMatching(/^whe_/),
        url: 'https://hooks.example.com/',
        description: 'Ops',
        eventTypes: ['JOB_FAILED', 'JOB_COMPLETED_WITH_WARNINGS'],
        enabled: true,
        createdBy: expect.stringMatching(/^manual:admin-/),
      },
      secret: expect.stringMatching(/^whsec_[\w+/]{43}=$/),
      userErrors: [],
    });
    const { rows } = await api.database.db.query<{ secret: string }>('SELECT secret FROM webhook_endpoints');
    expect(rows).toHaveLength(1);
    expect(rows[0]?.secret).toMatch(/^v1\.master\./);
    expect(JSON.stringify(rows)).not.toContain(String(created.secret).slice(6));
    const listed = await api.ask(LIST, {}, 'admin');
    expect(JSON.stringify(listed)).not.toMatch(/whsec|v1\.master/);
  });

  test('changes in what is given, and stays in the rest', async () => {
    const { id } = await create({ description: 'Ops' });
    const changed = await ask(UPDATE, { id, input: { eventTypes: ['JOB_FAILED'] } });
    expect(changed).toMatchObject({
      endpoint: { url: 'https://hooks.example.com/a', description: 'Ops', eventTypes: ['JOB_FAILED'] },
      secret: null,
    });
  });

  test.each([
    ['no address', { url: 'hooks' }, ['input', 'url']],
    ['another protocol', { url: 'ftp://hooks.example.com' }, ['input', 'url']],
    ['a password', { url: 'https://a:b@hooks.example.com' }, ['input', 'url']],
    ['no type of event', { eventTypes: [] }, ['input', 'eventTypes']],
    ['a long description', { description: 'x'.repeat(501) }, ['input', 'description']],
  ])('with %s is refused', async (_what, input, field) => {
    const valid = { url: 'https://hooks.example.com/a' };
    const refused = await ask(CREATE, { input: { ...valid, ...input } });
    expect(refused).toMatchObject({ endpoint: null, secret: null, userErrors: [{ code: 'INVALID', field }] });
    const { id } = await create();
    expect(await ask(UPDATE, { id, input })).toMatchObject({ userErrors: [{ code: 'INVALID', field }] });
  });

  test('is disabled and enabled by hand', async () => {
    const { id } = await create();
    expect(await ask(DISABLE, { id })).toMatchObject({
      endpoint: { enabled: false, disabledReason: 'MANUAL' },
    });
    expect(await ask(TEST, { id })).toMatchObject({ delivery: null, userErrors: [{ code: 'CONFLICT' }] });
    expect(await ask(ENABLE, { id })).toMatchObject({ endpoint: { enabled: true, disabledReason: null } });
  });

  test('gets another secret, and the old one signs for a while', async () => {
    const { id, secret } = await create();
    const rotated = await ask(ROTATE, { id, hours: 2 });
    expect(rotated.secret).toMatch(/^whsec_/);
    expect(rotated.secret).not.toBe(secret);
    const untilMs = Date.parse(rotated.endpoint?.previousSecretExpiresAt ?? '') - Date.now();
    expect(untilMs).toBeGreaterThan(7_100_000);
    expect(untilMs).toBeLessThan(7_300_000);
    expect(await ask(ROTATE, { id, hours: 200 })).toMatchObject({
      secret: null,
      userErrors: [{ code: 'INVALID', field: ['overlapHours'] }],
    });
  });

  test('is gone with its deliveries once it is deleted', async () => {
    const { id } = await create();
    const delivery = await seedDelivery(id);
    expect(await ask(DELETE, { id })).toEqual({ deletedId: id, userErrors: [] });
    for (const gone of [id, delivery])
      expect((await api.ask(NODE, { id: gone }, 'admin')).data).toEqual({ node: null });
  });

  test('is one of twenty at most, also when many are added at once', async () => {
    const made = await Promise.all(
      Array.from({ length: 25 }, () => ask(CREATE, { input: { url: 'https://hooks.example.com/a' } })),
    );
    const refused = made.filter(({ endpoint }) => endpoint === null);
    expect(refused).toHaveLength(5);
    expect(refused[0]).toMatchObject({ userErrors: [{ code: 'LIMIT_REACHED' }] });
  });
});

describe('deliveries', () => {
  test('are started by a test, as an internal job that no list shows', async () => {
    const { id } = await create();
    const { delivery } = await ask(TEST, { id });
    expect(delivery).toMatchObject({
      id: expect.stringMatching(/^whd_/),
      eventId: expect.stringMatching(/^evt_/),
      eventType: 'test',
      status: 'PENDING',
      payload: { type: 'test', timestamp: expect.any(String), data: { message: expect.any(String) } },
      endpoint: { id },
    });
    const { data } = await api.ask('{ jobs { totalCount } }', {}, 'admin');
    expect(data).toEqual({ jobs: { totalCount: 0 } });
  });

  test('are delivered again unless they are under way', async () => {
    const { id } = await create();
    const delivery = await seedDelivery(id, 'failed');
    expect(await ask(REDELIVER, { id: delivery })).toMatchObject({
      delivery: { id: delivery, status: 'PENDING' },
    });
    expect(await ask(REDELIVER, { id: delivery })).toMatchObject({
      delivery: null,
      userErrors: [{ code: 'CONFLICT', field: ['deliveryId'] }],
    });
  });

  test('of all endpoints are read together', async () => {
    const one = await create();
    for (let n = 0; n < 3; n += 1) await seedDelivery(one.id);
    await seedDelivery(one.id, 'failed');
    const few = await readsDuring(() => api.ask(LIST, { first: 2 }, 'admin'));
    for (let n = 0; n < 5; n += 1) await seedDelivery((await create()).id, 'failed');
    let answer: Awaited<ReturnType<TestApi['ask']>> | undefined;
    const many = await readsDuring(async () => {
      answer = await api.ask(LIST, { first: 2 }, 'admin');
    });
    expect(answer?.errors).toEqual([]);
    expect(answer?.data).toMatchObject({
      webhookEndpoints: {
        totalCount: 6,
        edges: expect.arrayContaining([
          {
            node: expect.objectContaining({
              id: one.id,
              deliveries: expect.objectContaining({ totalCount: 4, pageInfo: { hasNextPage: true } }),
              failed: { totalCount: 1 },
            }),
          },
        ]),
      },
    });
    expect(many.length, many.join('\n')).toBe(few.length);
    expect(many.length).toBeGreaterThan(2);
  });
});

describe('webhooks', () => {
  test('are for admins, by every door', async () => {
    const { id } = await create();
    const delivery = await seedDelivery(id);
    const input = { url: 'https://hooks.example.com' };
    for (const role of ['member', 'viewer'] as const) {
      for (const operation of [CREATE, UPDATE, ENABLE, DISABLE, ROTATE, DELETE, TEST, REDELIVER, LIST]) {
        const variables = {
          ...(operation.includes('$id') ? { id } : {}),
          ...(operation.includes('$input') ? { input } : {}),
        };
        const { errors } = await api.ask(operation, variables, role);
        expect(errors[0]?.extensions).toMatchObject({ code: 'FORBIDDEN' });
      }
      for (const hidden of [id, delivery])
        expect(await api.ask(NODE, { id: hidden }, role)).toEqual({
          status: 200,
          data: { node: null },
          errors: [],
        });
    }
    expect((await api.ask(NODE, { id: delivery }, 'admin')).data).toMatchObject({
      node: { __typename: 'WebhookDelivery' },
    });
  });

  test.each([
    ['updateWebhookEndpoint', UPDATE],
    ['enableWebhookEndpoint', ENABLE],
    ['disableWebhookEndpoint', DISABLE],
    ['rotateWebhookSecret', ROTATE],
    ['deleteWebhookEndpoint', DELETE],
    ['sendTestWebhook', TEST],
    ['redeliverWebhook', REDELIVER],
    ['node', NODE],
  ])('of another organization do not exist for %s', async (name, operation) => {
    const { id } = await create();
    const foreign = name === 'redeliverWebhook' ? await seedDelivery(id, 'failed') : id;
    const type = name === 'redeliverWebhook' ? 'webhookDelivery' : 'webhookEndpoint';
    const variables = operation.includes('$input') ? { input: { description: 'mine' } } : {};
    const strange = await api.ask(operation, { ...variables, id: foreign }, 'stranger');
    const missing = await api.ask(operation, { ...variables, id: toPublicId(type, newUuid()) }, 'stranger');
    const nonsense = await api.ask(operation, { ...variables, id: 'nonsense' }, 'stranger');
    expect(strange.errors).toEqual([]);
    expect(strange).toEqual(missing);
    expect(strange).toEqual(nonsense);
    if (name !== 'node') expect(JSON.stringify(strange.data)).toContain('NOT_FOUND');
    expect((await api.ask(LIST, {}, 'stranger')).data).toMatchObject({ webhookEndpoints: { totalCount: 0 } });
  });
});

test('in production, an endpoint is a public host behind https', async () => {
  await using strict = await startApi({ environment: { NODE_ENV: 'production' } });
  const create = async (url: string) => (await strict.ask(CREATE, { input: { url } }, 'admin')).data;
  const refused = [
    'http://hooks.example.com/',
    'https://127.0.0.1/',
    'https://2130706433/',
    'https://[::ffff:a00:1]/',
    'https://localhost/',
  ];
  for (const url of refused) {
    expect(await create(url)).toMatchObject({
      it: { endpoint: null, userErrors: [{ code: 'INVALID', field: ['input', 'url'] }] },
    });
  }
  expect(await create('https://hooks.example.com/')).toMatchObject({ it: { userErrors: [] } });
});
