import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { uuidOf } from '../../src/domain/ids.ts';
import { insertApiKey } from '../../src/repositories/api-keys.ts';
import { startApi, type GraphQLAnswer, type TestApi } from '../support/api.ts';

let api: TestApi;
beforeAll(async () => {
  api = await startApi();
});
afterEach(() =>
  api.database.db.query("DELETE FROM api_keys WHERE created_by IS NOT NULL OR name = 'filler'"),
);
afterAll(() => api.close());

const KEY = `apiKey { id name prefix role permissions user { email } createdBy expiresAt revokedAt revokedBy lastUsedAt }
  token userErrors { field code message }`;
const CREATE = `mutation ($input: CreateApiKeyInput!) { it: createApiKey(input: $input) { ${KEY} } }`;
const REVOKE = `mutation ($id: ID!) { it: revokeApiKey(id: $id) { ${KEY} } }`;
const LIST = `query ($first: Int, $after: String, $all: Boolean) { apiKeys(first: $first, after: $after, includeRevoked: $all) {
  totalCount pageInfo { hasNextPage endCursor } edges { node { id name prefix revokedAt } } } }`;
const VIEWER = '{ viewer { role permissions user { id } organization { id } } }';

interface Payload {
  readonly apiKey: Readonly<Record<string, unknown>> & { readonly id: string };
  readonly token: string;
  readonly userErrors: readonly unknown[];
}

const ask = async (operation: string, variables: object): Promise<Payload> => {
  const { data, errors } = await api.ask(operation, variables, 'admin');
  expect(errors).toEqual([]);
  return data?.['it'] as Payload;
};
const create = (input: object) => ask(CREATE, { input: { name: 'ci', role: 'MEMBER', ...input } });
const askWith = (token: string, query: string, variables: object = {}): Promise<GraphQLAnswer> =>
  api.askWith(token, query, variables);

describe('an API key', () => {
  it('is made with a token that is shown once, and of which only a hash is stored', async () => {
    const { apiKey, token } = await create({ name: ' nightly ' });
    expect(apiKey).toMatchObject({
      id: expect.stringMatching(/^key_/),
      name: 'nightly',
      prefix: token.slice(0, 9),
      role: 'MEMBER',
      permissions: ['READ', 'RUN_JOBS', 'MANAGE_SCHEDULES', 'RECORD_ACTIVITY'],
      user: null,
      createdBy: expect.stringMatching(/^manual:admin-/),
      expiresAt: null,
      revokedAt: null,
    });
    expect(token).toMatch(/^mlr_[\w-]{43}$/);
    const { rows } = await api.database.db.query('SELECT to_jsonb(k)::text AS row FROM api_keys k');
    expect(JSON.stringify(rows)).not.toContain(token);
    const listed = await api.ask(LIST, { all: true }, 'admin');
    expect(JSON.stringify(listed)).not.toContain(token);
    expect(JSON.stringify(listed)).toContain(apiKey['prefix']);
  });

  it('allows what it was made for and no more', async () => {
    const { token } = await create({ role: 'ADMIN', permissions: ['MANAGE_QUEUES'] });
    const { data } = await askWith(token, VIEWER);
    expect(data).toMatchObject({
      viewer: { role: 'ADMIN', permissions: ['READ', 'MANAGE_QUEUES'], user: null },
    });
    const { errors } = await askWith(token, 'mutation { cancelJob(id: "job_x") { __typename } }');
    expect(errors).toMatchObject([{ extensions: { code: 'FORBIDDEN', needs: 'RUN_JOBS' } }]);
  });

  it('cannot make a key that may more than itself', async () => {
    const { token } = await create({ role: 'ADMIN', permissions: ['MANAGE_ORGANIZATION'] });
    const make = async (input: object) =>
      (await askWith(token, CREATE, { input: { name: 'more', role: 'ADMIN', ...input } })).data?.['it'];
    expect(await make({})).toMatchObject({
      token: null,
      userErrors: [{ code: 'NOT_ALLOWED', field: ['input'] }],
    });
    expect(await make({ permissions: ['RUN_JOBS'] })).toMatchObject({
      token: null,
      userErrors: [{ code: 'NOT_ALLOWED' }],
    });
    expect(await make({ role: 'VIEWER' })).toMatchObject({ userErrors: [] });
  });

  it('acts in the name of its maker when it is personal, and else in its own', async () => {
    const { token, apiKey } = await create({ personal: true });
    expect(apiKey['user']).toMatchObject({ email: expect.stringMatching(/^admin-/) });
    expect((await askWith(token, VIEWER)).data).toMatchObject({
      viewer: { user: { id: expect.any(String) } },
    });
    const none = await create({});
    const asked = await askWith(none.token, CREATE, { input: { name: 'x', role: 'VIEWER', personal: true } });
    expect(asked.errors).toMatchObject([{ extensions: { code: 'FORBIDDEN' } }]);
  });

  it.each([
    [{ name: ' ' }, ['input', 'name']],
    [{ name: 'x'.repeat(101) }, ['input', 'name']],
    [{ permissions: [] }, ['input', 'permissions']],
    [{ expiresAt: '2020-01-01T00:00:00Z' }, ['input', 'expiresAt']],
  ])('is refused with %j', async (input, field) => {
    expect(await create(input)).toMatchObject({
      apiKey: null,
      token: null,
      userErrors: [{ code: 'INVALID', field }],
    });
  });

  it('opens nothing within five seconds after it was revoked, and stays listed', async () => {
    const { apiKey, token } = await create({});
    expect((await askWith(token, VIEWER)).status).toBe(200);
    const revoked = await ask(REVOKE, { id: apiKey.id });
    expect(revoked.apiKey).toMatchObject({
      revokedAt: expect.any(String),
      revokedBy: expect.stringMatching(/^manual:admin-/),
    });
    expect(revoked.token).toBeNull();
    expect((await ask(REVOKE, { id: apiKey.id })).apiKey).toEqual(revoked.apiKey);
    await expect.poll(async () => (await askWith(token, VIEWER)).status, { timeout: 6_000 }).toBe(401);
    const ids = async (all: boolean) => JSON.stringify(await api.ask(LIST, { all }, 'admin'));
    expect(await ids(false)).not.toContain(apiKey.id);
    expect(await ids(true)).toContain(apiKey.id);
  });

  it('of another organization does not exist', async () => {
    const { apiKey } = await create({});
    const { data } = await api.ask(REVOKE, { id: apiKey.id }, 'stranger');
    const unknown = await api.ask(REVOKE, { id: 'key_01h455vb4pex5vsknk084sn02q' }, 'stranger');
    expect(data).toEqual(unknown.data);
    expect(data?.['it']).toMatchObject({ apiKey: null, userErrors: [{ code: 'NOT_FOUND', field: ['id'] }] });
    const { rows } = await api.database.db.query<{ revoked_at: Date | null }>(
      'SELECT revoked_at FROM api_keys WHERE id = $1',
      [uuidOf('apiKey', apiKey.id)],
    );
    expect(rows).toEqual([{ revoked_at: null }]);
  });

  it('is one of at most 200 in use, however many are asked for at once', async () => {
    const filler = {
      organizationId: api.organization.id,
      userId: null,
      name: 'filler',
      role: 'viewer',
    } as const;
    const { rows } = await api.database.db.query<{ live: number }>(
      'SELECT count(*)::int AS live FROM api_keys WHERE organization_id = $1 AND revoked_at IS NULL',
      [api.organization.id],
    );
    const room = 200 - (rows[0]?.live ?? 0);
    for (let count = 0; count < room - 2; count += 1) await insertApiKey(api.database.db, filler);
    const made = await Promise.all(Array.from({ length: 6 }, () => create({})));
    expect(made.filter(({ userErrors }) => userErrors.length === 0)).toHaveLength(2);
    expect(made.flatMap(({ userErrors }) => userErrors)).toMatchObject(
      Array.from({ length: 4 }, () => ({ code: 'LIMIT_REACHED' })),
    );
  });

  it('is found page by page, newest first', async () => {
    const made = [await create({ name: 'a' }), await create({ name: 'b' }), await create({ name: 'c' })];
    const page = async (after: string | null) => {
      const { data } = await api.ask(LIST, { first: 2, after }, 'admin');
      return data?.['apiKeys'] as { edges: { node: { id: string } }[]; pageInfo: { endCursor: string } };
    };
    const first = await page(null);
    const second = await page(first.pageInfo.endCursor);
    const ids = [...first.edges, ...second.edges].map(({ node }) => node.id);
    expect(ids.slice(0, 3)).toEqual(made.map(({ apiKey }) => apiKey.id).toReversed());
  });
});
