import { Writable } from 'node:stream';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { createLog } from '../../src/lib/log.ts';
import { startApi, type TestApi } from '../support/api.ts';

let api: TestApi;
const logged: string[] = [];
beforeAll(async () => {
  const destination = new Writable({
    write(chunk: Buffer, _encoding, done) {
      logged.push(chunk.toString());
      done();
    },
  });
  api = await startApi({ log: createLog({ level: 'error', process: 'test', destination }) });
});
afterAll(() => api.close());

const VIEWER = '{ viewer { role organization { name currency } user { email } } }';

describe('who may do what', () => {
  test('nobody without a token', async () => {
    const answer = await api.ask(VIEWER, {}, null);
    expect(answer).toMatchObject({
      status: 401,
      data: null,
      errors: [{ extensions: { code: 'UNAUTHENTICATED' } }],
    });
  });

  test.each(['{ __typename }', '{ __schema { types { name } } }'])('not even %s', async (query) => {
    expect((await api.ask(query, {}, null)).status).toBe(401);
  });

  test.each(['Bearer nonsense', 'Basic abc', 'Bearer', ''])(
    'nobody with the header %j',
    async (authorization) => {
      const response = await fetch(api.graphqlUrl, {
        method: 'POST',
        headers: { 'content-type': 'application/json', authorization },
        body: JSON.stringify({ query: VIEWER }),
      });
      expect(response.status).toBe(401);
      expect(response.headers.get('www-authenticate')).toContain('Bearer');
    },
  );

  test('a token tells its organization, person and role', async () => {
    const { data } = await api.ask(VIEWER, {}, 'viewer');
    expect(data).toEqual({
      viewer: {
        role: 'VIEWER',
        organization: { name: 'Testers Inc.', currency: 'EUR' },
        user: { email: expect.stringMatching(/^viewer-.*@example\.com$/) },
      },
    });
  });

  test.each([
    ['startProductImport(input: { source: { uploadId: "x" } }) { userErrors { code } }'],
    ['createStagedUpload(input: { filename: "a", contentType: "text/csv" }) { userErrors { code } }'],
    ['retryJob(id: "x") { userErrors { code } }'],
    ['retryFailedItems(id: "x") { userErrors { code } }'],
    ['cancelJob(id: "x") { userErrors { code } }'],
  ])('a viewer may not %s', async (field) => {
    const asViewer = await api.ask(`mutation { it: ${field} }`, {}, 'viewer');
    expect(asViewer).toMatchObject({ data: null, errors: [{ extensions: { code: 'FORBIDDEN' } }] });
    expect((await api.ask(`mutation { it: ${field} }`, {}, 'member')).errors).toEqual([]);
  });
});

describe('what is refused before it runs', () => {
  test('a body of more than a megabyte', async () => {
    const { status } = await api.ask(`{ viewer { role } } #${'x'.repeat(1_100_000)}`);
    expect(status).toBe(413);
  });

  test.each([
    [
      'too deep',
      `{ jobs { edges { node ${'{ parent '.repeat(14)}{ id }${' }'.repeat(14)} } } }`,
      'LIMIT_EXCEEDED',
    ],
    [
      'too deep through fragments',
      `{ jobs { edges { node { ...A } } } } fragment A on Job { ${'parent { '.repeat(14)}id${' }'.repeat(14)} }`,
      'LIMIT_EXCEEDED',
    ],
    [
      'full of aliases',
      `{ ${Array.from({ length: 101 }, (_, n) => `a${n}: viewer { role }`).join(' ')} }`,
      'LIMIT_EXCEEDED',
    ],
    ['too long', `{ ${'__typename '.repeat(4_001)} }`, 'LIMIT_EXCEEDED'],
    ['no GraphQL', '{ viewer {', 'GRAPHQL_PARSE_FAILED'],
    ['unknown to the schema', '{ nothing }', 'GRAPHQL_VALIDATION_FAILED'],
  ])('a document that is %s', async (_what, query, code) => {
    const { errors, data } = await api.ask(query);
    expect(data).toBeNull();
    expect(errors[0]?.extensions).toMatchObject({ code });
  });

  test('fragments that spread each other, without hanging', async () => {
    const { errors } = await api.ask(
      '{ jobs { edges { node { ...A } } } } fragment A on Job { id ...B } fragment B on Job { id ...A }',
    );
    expect(errors[0]?.extensions).toMatchObject({ code: 'GRAPHQL_VALIDATION_FAILED' });
  });

  test('variables of another type', async () => {
    const { errors } = await api.ask('query ($first: Int) { jobs(first: $first) { totalCount } }', {
      first: 'ten',
    });
    expect(errors).toHaveLength(1);
    expect(errors[0]?.extensions).toMatchObject({ code: 'BAD_USER_INPUT' });
  });

  test('a form that a foreign page could send', async () => {
    const response = await fetch(api.graphqlUrl, {
      method: 'POST',
      headers: { 'content-type': 'application/x-www-form-urlencoded' },
      body: new URLSearchParams({ query: VIEWER }),
    });
    expect(response.status).toBe(401);
    const reflected = await fetch(api.graphqlUrl, {
      method: 'OPTIONS',
      headers: { origin: 'https://evil.example' },
    });
    expect(reflected.headers.get('access-control-allow-origin')).toBeNull();
  });
});

test('fields are answered in the order in which they were selected, whichever is done first', async () => {
  const query =
    '{ dashboard { revenue { state } from } jobs { totalCount } viewer { role organization { name } } __typename }';
  for (let time = 0; time < 10; time += 1) {
    const { data } = await api.ask(query);
    expect(JSON.stringify(data)).toMatch(
      /^{"dashboard":{"revenue":.*,"from":.*"jobs":.*"viewer":{"role":.*"organization":.*"__typename":"Query"}$/,
    );
  }
});

test('the introspection query of tools is within the limits', async () => {
  const { getIntrospectionQuery } = await import('graphql');
  const { errors, data } = await api.ask(getIntrospectionQuery());
  expect(errors).toEqual([]);
  expect(data).toHaveProperty('__schema');
});

test('a defect is told by its request’s id alone; the log has the rest', async () => {
  await using broken = await startApi({ log: createLog({ level: 'silent', process: 'test' }) });
  await broken.ask(VIEWER);
  await broken.database.db.query('ALTER TABLE products RENAME TO products_gone');
  const answer = await broken.ask('{ products { totalCount } viewer { role } }');
  expect(answer.errors).toHaveLength(1);
  expect(answer.errors[0]).toMatchObject({
    path: ['products'],
    extensions: { code: 'INTERNAL_SERVER_ERROR', requestId: expect.stringMatching(/^[0-9a-f-]{36}$/) },
  });
  expect(JSON.stringify(answer)).not.toMatch(/products_gone|relation|prisma|SELECT/i);
});

test('a defect in the log names the request that the caller was told', async () => {
  await api.ask(VIEWER);
  await api.database.db.query('ALTER TABLE products RENAME TO products_gone');
  const { errors } = await api.ask('{ products { totalCount edges { node { id } } } }');
  await api.database.db.query('ALTER TABLE products_gone RENAME TO products');
  const requestId = String(errors[0]?.extensions['requestId']);
  expect(logged.some((line) => line.includes(requestId))).toBe(true);
});

test('a deferred part comes in the same answer, later', async () => {
  const response = await fetch(api.graphqlUrl, {
    method: 'POST',
    headers: {
      'content-type': 'application/json',
      accept: 'multipart/mixed',
      authorization: `Bearer ${api.tokens.viewer}`,
    },
    body: JSON.stringify({ query: '{ viewer { role ... @defer { organization { name } } } }' }),
  });
  expect(response.headers.get('content-type')).toContain('multipart/mixed');
  expect(await response.text()).toContain('Testers Inc.');
});
